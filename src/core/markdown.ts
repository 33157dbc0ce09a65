import { type Block, bold, code, type Inline, line, list, pre } from './doc.ts';

/** The Markdown that the runbooks use: headings, lists, fenced code, `code` and **bold** within lines. */
export function markdownBlocks(markdown: string): Block[] {
  const blocks: Block[] = [];
  let items: Inline[][] = [];
  let fence: string[] | undefined;
  const endList = (): void => {
    if (items.length > 0) blocks.push(list(items));
    items = [];
  };
  for (const text of markdown.split(/\r?\n/u)) {
    if (text.trimStart().startsWith('```')) {
      endList();
      if (fence) blocks.push(pre(fence.join('\n')));
      fence = fence ? undefined : [];
      continue;
    }
    if (fence) {
      fence.push(text);
      continue;
    }
    const heading = /^(#+)\s+(.*)$/u.exec(text);
    const item = /^\s*(?:[-*]|\d+\.)\s+(.*)$/u.exec(text);
    if (item) {
      items.push(inlines(item[1] ?? ''));
      continue;
    }
    // A line that goes on belongs to the item before it.
    const last = items.at(-1);
    if (last && /^\s+\S/u.test(text)) {
      last.push(' ', ...inlines(text.trim()));
      continue;
    }
    endList();
    if (heading) blocks.push({ kind: 'gap' }, line(bold(heading[2] ?? '')));
    else if (text.trim() !== '') blocks.push(line(...inlines(text)));
  }
  endList();
  if (fence) blocks.push(pre(fence.join('\n')));
  return blocks;
}

/** The same text in pages of about this many characters, cut before headings only. */
export function markdownPages(markdown: string, characters: number): string[] {
  const sections: string[][] = [[]];
  let isFenced = false;
  for (const text of markdown.trim().split(/\r?\n/u)) {
    if (text.trimStart().startsWith('```')) isFenced = !isFenced;
    if (!isFenced && /^#+\s/u.test(text)) sections.push([]);
    sections.at(-1)?.push(text);
  }
  const pages: string[] = [];
  for (const section of sections.map((lines) => lines.join('\n').trim()).filter((one) => one !== '')) {
    const last = pages.at(-1);
    if (last !== undefined && last.length + section.length <= characters)
      pages[pages.length - 1] = `${last}\n\n${section}`;
    else pages.push(section);
  }
  return pages;
}

function inlines(text: string): Inline[] {
  return text
    .split(/(`[^`]+`|\*\*[^*]+\*\*)/u)
    .filter((part) => part !== '')
    .map((part): Inline => {
      if (/^`[^`]+`$/u.test(part)) return code(part.slice(1, -1));
      return /^\*\*[^*]+\*\*$/u.test(part) ? bold(part.slice(2, -2)) : part;
    });
}
