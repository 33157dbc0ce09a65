import type { Config } from '../../config/schema.ts';
import type { Doc } from '../../core/doc.ts';
import type { Messages, Translate } from '../../core/i18n.ts';
import type { Actor, Language, Operator, Role } from '../../core/people.ts';
import type { Database } from '../../store/db.ts';
import type { Operation, View } from '../../tasks/define.ts';
import type { Requests } from '../../tasks/lifecycle/requests.ts';

export type Scope = 'private' | 'group';

export interface CommandContext {
  /** Who writes; absent for somebody without a place in the configuration. */
  readonly operator?: Operator;
  readonly actor: Actor;
  /** The Telegram account, known or not. */
  readonly user: { readonly id: number; readonly name: string };
  readonly chat: { readonly id: number; readonly scope: Scope };
  readonly thread?: number;
  /** The message with the command. */
  readonly messageId: number;
  /** What follows the command's name, trimmed. */
  readonly args: string;
  readonly t: Translate;
  readonly language: Language;
  readonly zone: string;
  readonly view: View;
  readonly now: Date;
  readonly db: Database;
  readonly requests: Requests;
  readonly config: Config;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly commands: readonly Command[];
  /** A live card in this chat, in reply to the command, kept equal to the state `ref` of that kind. */
  readonly showCard: (kind: string, ref: string) => Promise<void>;
  /** Ends the form that this person has open here; false when there was none. */
  readonly cancelForm: () => Promise<boolean>;
  /** From now on the operator is spoken to in this language; the answer speaks it already. */
  readonly useLanguage: (language: Language) => Promise<Translate>;
}

/** A command that is not an operation. Catalogue key that must exist: `cmd-<name>`, its line in menu and help. */
export interface Command {
  /** One word of `[a-z0-9_]`, at most 32. */
  readonly name: string;
  readonly role: Role | 'anyone';
  readonly scopes: readonly Scope[];
  readonly messages: Messages;
  /** The answer, or nothing when a card or an operation answers. */
  readonly run: (context: CommandContext) => Promise<Doc | undefined> | Doc | undefined;
}

/** Declares a command: one file in handlers/commands, one default export. */
export const defineCommand = (command: Command): Command => command;
