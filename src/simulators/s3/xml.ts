/** What an element holds: text, elements by name, or several of one name. */
export type XmlValue = string | number | boolean | XmlElements | readonly XmlElements[] | undefined;
export interface XmlElements {
  readonly [name: string]: XmlValue;
}

const escape = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#13;');

const written = (elements: XmlElements): string =>
  Object.entries(elements)
    .map(([name, value]) => {
      if (value === undefined) return '';
      if (Array.isArray(value)) return value.map((one: XmlElements) => `<${name}>${written(one)}</${name}>`).join('');
      const inner = typeof value === 'object' ? written(value as XmlElements) : escape(String(value));
      return `<${name}>${inner}</${name}>`;
    })
    .join('');

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** A document as S3 writes it; errors bear no namespace. */
export const document = (root: string, elements: XmlElements): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${root === 'Error' ? '' : ` xmlns="${NAMESPACE}"`}>${written(elements)}</${root}>`;

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Texts of all elements of that name, in order. Enough for the flat lists that clients send. */
export function texts(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([^]*?)</${name}>`, 'gu'))].map(([, inner = '']) =>
    inner.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/giu, (all, decimal?: string, hex?: string, entity?: string) => {
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      return ENTITIES[entity ?? ''] ?? all;
    }),
  );
}
