import type { Config } from '../../config/schema.ts';
import type { Doc } from '../../core/doc.ts';
import type { Messages, Translate } from '../../core/i18n.ts';
import type { Language, Operator } from '../../core/people.ts';
import type { Card } from '../../store/cards.ts';
import type { Queryable } from '../../store/db.ts';
import type { Operation } from '../../tasks/define.ts';
import type { Runbooks } from '../../tasks/runbooks.ts';

/** What a card is drawn from: the database at the moment of delivery, and who reads it. */
export interface CardContext {
  readonly q: Queryable;
  readonly t: Translate;
  readonly language: Language;
  /** IANA zone of the reader. */
  readonly zone: string;
  readonly now: Date;
  /** The operator whom the card is for; absent when it is for everybody in a chat. */
  readonly reader?: Operator;
  readonly config: Config;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly people: (id: string) => Operator | undefined;
  /** The runbooks that come with the program. */
  readonly runbooks?: Runbooks;
}

/** A kind of card: `render` draws the state that `card.ref` names, or says that there is none any more. */
export interface CardKind {
  readonly kind: string;
  readonly messages: Messages;
  readonly render: (context: CardContext, card: Card) => Promise<Doc | 'gone'>;
}

/** Declares a kind of card: one file in bot/cards, one default export. */
export const defineCard = (kind: CardKind): CardKind => kind;
