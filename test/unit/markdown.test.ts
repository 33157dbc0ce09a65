import { describe, expect, it } from 'vitest';
import { markdownPages } from '../../src/core/markdown.ts';

describe('pages of a text', () => {
  it('are cut before headings, as full as they may be', () => {
    const text = 'Intro\n\n## A\n\naaaa\n\n### B\n\nbbbb\n\n## C\n\ncccc';
    expect(markdownPages(text, 1000)).toEqual([text]);
    expect(markdownPages(text, 25)).toEqual(['Intro\n\n## A\n\naaaa', '### B\n\nbbbb\n\n## C\n\ncccc']);
    expect(markdownPages(text, 1)).toHaveLength(4);
  });

  it('never tear a block of commands apart, nor take a comment in it for a heading', () => {
    const text = '## A\n\n```\n# a comment\nls\n```\n\n## B\n\nb';
    expect(markdownPages(text, 1)).toEqual(['## A\n\n```\n# a comment\nls\n```', '## B\n\nb']);
    expect(markdownPages('', 10)).toEqual([]);
  });
});
