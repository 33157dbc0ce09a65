import type { Message, Update } from '@grammyjs/types';
import type { Config } from '../config/schema.ts';
import { PRIORITY } from '../core/budget.ts';
import { type Button, code, type Doc, doc, line, list, title } from '../core/doc.ts';
import { VakhtaError } from '../core/error.ts';
import type { Catalogue } from '../core/i18n.ts';
import { type Actor, actorName, holds, type Operator, type Role } from '../core/people.ts';
import type { Clock } from '../core/clock.ts';
import type { Random } from '../core/random.ts';
import { assignWords, matchOperation, nextMissing, splitWords, usage } from '../handlers/command-line.ts';
import type { Command } from '../handlers/commands/define.ts';
import { appendAudit } from '../store/audit.ts';
import { wantCard } from '../store/cards.ts';
import type { Database } from '../store/db.ts';
import type { Origin } from '../store/runs.ts';
import type { Operation } from '../tasks/define.ts';
import type { Requests } from '../tasks/lifecycle/requests.ts';
import { errorDoc } from './errors.ts';
import type { Form } from './form.ts';
import { isKnownChat, type Place } from './identity.ts';
import { type Lane, type Letter, post } from './outbox/body.ts';
import type { Addressee, Readers } from './readers.ts';

export interface CommandsOptions {
  readonly db: Database;
  readonly config: Config;
  readonly requests: Requests;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly commands: readonly Command[];
  readonly catalogue: Catalogue;
  readonly readers: Readers;
  readonly form: Form;
  readonly clock: Clock;
  readonly random: Random;
  readonly wake: () => void;
  readonly lane: Lane;
  /** Somebody chose a language: what was told to Telegram in advance follows. */
  readonly languageChosen: () => void;
}

export interface Said {
  readonly update: Update;
  readonly message: Message;
  readonly place: Place;
  readonly operator: Operator;
  readonly user: { readonly id: number; readonly first_name: string };
}

/** `/name@bot rest` */
export interface Typed {
  readonly name: string;
  readonly bot: string | undefined;
  readonly args: string;
}

const FORM = /^\/([A-Za-z0-9_]+)(?:@([A-Za-z0-9_]+))?(?:\s+([\s\S]*))?$/;

export function parseCommand(text: string): Typed | undefined {
  const match = FORM.exec(text.trim());
  const name = match?.[1];
  return name === undefined ? undefined : { name: name.toLowerCase(), bot: match?.[2], args: match?.[3]?.trim() ?? '' };
}

/** What a typed command leads to: an answer, a form, or a run with its card. */
export function createCommands(options: CommandsOptions): (said: Said, typed: Typed) => Promise<void> {
  const { db, config, operations, commands, requests, random, clock } = options;

  const answer = async ({ place }: Said, reader: Addressee, answerDoc: Doc, onlyFor?: string): Promise<void> => {
    const letter: Letter = {
      chat: place.chat.id,
      thread: place.thread,
      replyTo: place.messageId,
      doc: answerDoc,
      reader,
      priority: PRIORITY.answer,
      ...(onlyFor === undefined ? {} : { onlyFor }),
    };
    if ((await post(db, random, letter, options.lane)) !== 'taken') options.wake();
  };

  const mayUse = async (said: Said, reader: Addressee, role: Role, subject: string): Promise<boolean> => {
    const { operator } = said;
    if (holds(operator.role, role)) return true;
    const actor = actorName({ kind: 'operator', id: operator.id });
    await db.tx((tx) =>
      appendAudit(tx, { actor, action: 'denied', subject, detail: { action: 'command', needs: role } }, clock.now()),
    );
    const { t } = reader;
    const words = t('bot-denied', { role: t(`role-${role}`), own: t(`role-${operator.role}`) });
    await answer(said, reader, doc(title('lock', words)));
    return false;
  };

  const originOf = ({ place, operator }: Said): Origin => ({
    chat: place.chat.id,
    replyTo: place.messageId,
    reader: operator.id,
    ...(place.thread === undefined ? {} : { thread: place.thread }),
  });

  const runCommand = async (said: Said, reader: Addressee, command: Command, args: string): Promise<void> => {
    const { place, operator, user, update } = said;
    if (command.role !== 'anyone' && !(await mayUse(said, reader, command.role, `command:${command.name}`))) return;
    const { t, language, zone, now } = reader;
    const result = await command.run({
      operator,
      actor: { kind: 'operator', id: operator.id } satisfies Actor,
      user: { id: user.id, name: user.first_name },
      chat: { id: place.chat.id, scope: place.chat.type === 'private' ? 'private' : 'group' },
      ...(place.thread === undefined ? {} : { thread: place.thread }),
      messageId: place.messageId,
      args,
      t,
      language,
      zone,
      view: { t, language, now },
      now,
      db,
      requests,
      config,
      operations,
      commands,
      showCard: async (kind, ref) => {
        const wish = {
          kind,
          ref,
          chat: place.chat.id,
          thread: place.thread,
          replyTo: place.messageId,
          reader: operator.id,
        };
        await wantCard(db, { ...wish, priority: PRIORITY.answer }, clock.now());
        options.wake();
      },
      cancelForm: () => options.form.cancel(update),
      useLanguage: async (chosen) => {
        await options.readers.choose(operator, chosen);
        options.languageChosen();
        return options.catalogue.for(chosen);
      },
    });
    if (result) await answer(said, reader, result);
  };

  const runOperation = async (
    said: Said,
    reader: Addressee,
    operation: Operation,
    words: readonly string[],
  ): Promise<void> => {
    if (!(await mayUse(said, reader, operation.role, operation.name))) return;
    const { t } = reader;
    const assigned = assignWords(operation, words);
    if (!assigned.ok) {
      const { problem } = assigned;
      const text =
        problem.kind === 'surplus'
          ? t('bot-surplus', { words: problem.words.join(' ') })
          : t('bot-wrong', { word: problem.word, argument: problem.argument.name, reason: problem.reason });
      return answer(said, reader, doc(title('question', text), line(`${t('bot-usage')} `, code(usage(operation)))));
    }
    const origin = originOf(said);
    const key = `update:${said.update.update_id}`;
    const actor = { kind: 'operator', id: said.operator.id } as const;
    if (nextMissing(operation, assigned.args)) {
      const start = {
        kind: 'arguments',
        operator: actor.id,
        operation: operation.name,
        args: assigned.args,
        origin,
        key,
      } as const;
      return options.form.enter(said.update, start);
    }
    try {
      await requests.request(actor, operation.name, assigned.args, { origin, idempotencyKey: key });
      options.wake();
    } catch (error) {
      if (!(error instanceof VakhtaError) || error.kind === 'transient' || error.kind === 'bug') throw error;
      await answer(said, reader, errorDoc(error, t, error.kind === 'usage' ? usage(operation) : undefined));
    }
  };

  /** `/backup` alone: one button for each operation that begins so. */
  const chooseFrom = async (said: Said, reader: Addressee, family: readonly Operation[]): Promise<void> => {
    const { t } = reader;
    const allowed = family.filter((one) => holds(said.operator.role, one.role));
    if (allowed.length === 0)
      return void (await mayUse(said, reader, family[0]?.role ?? 'admin', family[0]?.name ?? ''));
    const buttons = allowed.map((one): readonly Button[] => [
      { kind: 'press', label: t(one.key), press: { kind: 'operation', operation: one.name, args: {} } },
    ]);
    const asked = { blocks: [title('question', t('bot-which')), list(allowed.map((one) => usage(one)))], buttons };
    await answer(said, reader, asked, said.operator.id);
  };

  return async (said, typed) => {
    const reader = await options.readers.operator(said.operator);
    const { t } = reader;
    if (!isKnownChat(config, said.place.chat) && typed.name !== 'whoami') {
      return answer(said, reader, doc(line(t('bot-strange-chat', { id: said.place.chat.id }))));
    }
    const command = commands.find((one) => one.name === typed.name);
    if (command) return runCommand(said, reader, command, typed.args);
    const matched = matchOperation(operations.values(), [typed.name, ...splitWords(typed.args)]);
    if (matched.kind === 'operation') return runOperation(said, reader, matched.operation, matched.words);
    if (matched.kind === 'family') return chooseFrom(said, reader, matched.operations);
    // In a group an unknown command may be meant for another bot.
    if (said.place.chat.type !== 'private' && typed.bot === undefined) return;
    await answer(said, reader, doc(title('question', t('bot-unknown-command', { command: `/${typed.name}` }))));
  };
}
