import { type Block, bold, code, type Inline, line, list, pre } from '../../../core/doc.ts';
import type { IncidentData } from '../../../core/incident.ts';
import { alertsOf, type DrawingContext } from './alerts.ts';

type Runbook = { readonly url: string } | { readonly text: string };

/** Where it says what to do: an address that the alerts carry, else the runbook that comes with the program. */
export function runbookOf({ runbooks, language }: DrawingContext, data: IncidentData): Runbook | undefined {
  const alerts = alertsOf(data);
  const given = [data.commonAnnotations, ...alerts.flatMap(({ annotations, labels }) => [annotations, labels])];
  const url = given
    .flatMap((one) => [one['runbook_url'], one['runbook']])
    .find((one) => one !== undefined && isUrl(one));
  if (url !== undefined) return { url: url.trim() };
  const names = [...given.map((one) => one['runbook']), ...alerts.map(({ labels }) => labels['alertname'])];
  for (const name of new Set(names)) {
    const text = name === undefined ? undefined : runbooks?.(name, language);
    if (text !== undefined) return { text };
  }
  return undefined;
}

export const isUrl = (text: string): boolean => /^https?:\/\/\S+$/u.test(text.trim()) && URL.canParse(text.trim());

/** The Markdown that the runbooks use: headings, lists, fenced code, `code` and **bold** within lines. */
export function runbookBlocks(markdown: string): Block[] {
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

function inlines(text: string): Inline[] {
  return text
    .split(/(`[^`]+`|\*\*[^*]+\*\*)/u)
    .filter((part) => part !== '')
    .map((part): Inline => {
      if (/^`[^`]+`$/u.test(part)) return code(part.slice(1, -1));
      return /^\*\*[^*]+\*\*$/u.test(part) ? bold(part.slice(2, -2)) : part;
    });
}
