/**
 * A message for people, without markup: the neutral form that cards, replies, the command line and HTTP share.
 * `bot/render` turns it into text with entities, `cli` into terminal text. Nothing else in the program builds markup.
 */
export type Inline =
  | string
  | { readonly kind: 'bold' | 'italic' | 'strike'; readonly of: Inlines }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'link'; readonly of: Inlines; readonly url: string }
  /** An instant in the reader's zone: `clock` 14:05, `seconds` 14:05:09, `date` 23 Nov 14:05, `ago` 5 min ago (at the rendering). */
  | { readonly kind: 'time'; readonly at: Date; readonly as: TimeAs };

export type TimeAs = 'clock' | 'seconds' | 'date' | 'ago';

export type Inlines = Inline | readonly Inline[];

export type Block =
  /** First line: the verdict. Icon and word, never colour alone. */
  | { readonly kind: 'title'; readonly icon: Icon; readonly of: Inlines }
  | { readonly kind: 'line'; readonly of: Inlines }
  /** `label: value` lines; six at most on a card. */
  | { readonly kind: 'facts'; readonly rows: readonly (readonly [label: string, value: Inlines])[] }
  | { readonly kind: 'list'; readonly items: readonly Inlines[]; readonly more?: string }
  /** Secondary text; `expandable` folds what is long. */
  | { readonly kind: 'quote'; readonly lines: readonly Inlines[]; readonly expandable?: boolean }
  | { readonly kind: 'pre'; readonly text: string }
  /** Drawn as aligned columns when at most 34 wide, else as one line a row. Numbers are not grouped. */
  | { readonly kind: 'table'; readonly head?: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'gap' };

export type Icon =
  | 'critical'
  | 'warning'
  | 'info'
  | 'ok'
  | 'resolved'
  | 'done'
  | 'running'
  | 'waiting'
  | 'failed'
  | 'cancelled'
  | 'unknown'
  | 'silenced'
  | 'owned'
  | 'question'
  | 'digest'
  | 'lock'
  | 'bell';

/** What a button does when pressed: asks for an operation, or answers one of the life cycle's own questions. */
export type Press =
  | {
      readonly kind: 'operation';
      readonly operation: string;
      readonly args: Readonly<Record<string, unknown>>;
      /** On an incident's card: it is to mend the incident, and only that counts as its success. */
      readonly fix?: PressedFix;
    }
  /** Answers a waiting run. */
  | { readonly kind: 'run'; readonly verb: 'confirm' | 'approve' | 'reject' | 'cancel'; readonly runId: string }
  /** Redraws this card in another view ("details", page 2); changes nothing. */
  | { readonly kind: 'view'; readonly view: string };

/** What a fix is measured by. */
export interface PressedFix {
  /** Equal for fixes that do the same. */
  readonly key: string;
  /** The alerts that it is for. */
  readonly fingerprints: readonly string[];
  /** Minutes from its end until they must be over. */
  readonly clearsMinutes: number;
  /** What the button said, when the configuration says so. */
  readonly label?: { readonly ru: string; readonly en: string };
}

export type ButtonStyle = 'primary' | 'success' | 'danger';

export type Button =
  | {
      readonly kind: 'press';
      readonly label: string;
      readonly style?: ButtonStyle;
      readonly press: Press;
      /** Minutes until the button goes stale; default 24 h. */
      readonly ttlMinutes?: number;
    }
  | { readonly kind: 'url'; readonly label: string; readonly url: string }
  | { readonly kind: 'copy'; readonly label: string; readonly text: string };

export interface Doc {
  readonly blocks: readonly Block[];
  /** Rows of at most three. */
  readonly buttons?: readonly (readonly Button[])[];
  /** Not worth a first message before this instant: something better is likely to stand here by then. */
  readonly hold?: Date;
  /** Sent as a document after (or under) the text: what is too long for a message is never cut off silently. */
  readonly file?: { readonly name: string; readonly text: string };
  /** Shown above the text. `id` is that of the table `pictures`; `alt` stands for it where it cannot be shown. */
  readonly picture?: DocPicture;
}

export interface DocPicture {
  readonly id: string;
  readonly alt: string;
}

export const doc = (...blocks: Block[]): Doc => ({ blocks });
export const title = (icon: Icon, of: Inlines): Block => ({ kind: 'title', icon, of });
export const line = (...of: Inline[]): Block => ({ kind: 'line', of });
export const facts = (...rows: (readonly [string, Inlines])[]): Block => ({ kind: 'facts', rows });
export const list = (items: readonly Inlines[], more?: string): Block =>
  more === undefined ? { kind: 'list', items } : { kind: 'list', items, more };
export const quote = (lines: readonly Inlines[], expandable = false): Block => ({ kind: 'quote', lines, expandable });
export const pre = (text: string): Block => ({ kind: 'pre', text });
export const table = (rows: readonly (readonly string[])[], head?: readonly string[]): Block =>
  head ? { kind: 'table', head, rows } : { kind: 'table', rows };
export const gap: Block = { kind: 'gap' };
export const bold = (...of: Inline[]): Inline => ({ kind: 'bold', of });
export const italic = (...of: Inline[]): Inline => ({ kind: 'italic', of });
export const strike = (...of: Inline[]): Inline => ({ kind: 'strike', of });
export const code = (text: string): Inline => ({ kind: 'code', text });
export const link = (url: string, ...of: Inline[]): Inline => ({ kind: 'link', of, url });
export const time = (at: Date, as: TimeAs = 'date'): Inline => ({ kind: 'time', at, as });
