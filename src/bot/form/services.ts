import { bold, type Button, code, type Doc, doc, line, title } from '../../core/doc.ts';
import { VakhtaError } from '../../core/error.ts';
import type { Translate } from '../../core/i18n.ts';
import type { Operator } from '../../core/people.ts';
import type { Origin } from '../../store/runs.ts';
import { enqueue } from '../../store/outbox.ts';
import type { Argument, Choice, Facts, Operation } from '../../tasks/define.ts';
import type { Database } from '../../store/db.ts';
import type { Requests } from '../../tasks/lifecycle/requests.ts';
import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import { nextMissing, readValue, usage } from '../../handlers/command-line.ts';
import { PRIORITY } from '../../core/budget.ts';
import { errorDoc } from '../errors.ts';
import { type Codes, isMasked } from '../intake/updates.ts';
import { type Lane, post } from '../outbox/body.ts';
import type { Addressee, Readers } from '../readers.ts';

/** What a form is about. Stored as JSON with the conversation, so it holds nothing secret. */
export type FormStart =
  | {
      readonly kind: 'arguments';
      readonly operator: string;
      readonly operation: string;
      readonly args: Readonly<Record<string, unknown>>;
      readonly origin: Origin;
      /** Makes the run one run, however often the last answer arrives. */
      readonly key: string;
    }
  | {
      readonly kind: 'step-up';
      readonly operator: string;
      readonly runId: string;
      readonly target: string;
      readonly origin: Origin;
    };

export interface FormOptions {
  readonly db: Database;
  readonly requests: Requests;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly people: (id: string) => Operator | undefined;
  readonly facts: Facts;
  readonly readers: Readers;
  readonly clock: Clock;
  readonly random: Random;
  readonly codes: Codes;
  /** Something was queued for sending. */
  readonly wake: () => void;
  readonly lane: Lane;
}

const MAX_CHOICES = 30;

export type Answered = { readonly ok: true; readonly value: unknown } | { readonly ok: false };

/** The steps of the form that touch the world. Each answers a refusal with a message; only a broken database throws. */
export interface FormServices {
  /** Asks for the next argument and answers its name; nothing when all are there. */
  ask(start: FormStart & { kind: 'arguments' }, given: Readonly<Record<string, unknown>>): Promise<string | undefined>;
  read(start: FormStart & { kind: 'arguments' }, name: string, text: string, updateId: number): Promise<Answered>;
  request(start: FormStart & { kind: 'arguments' }, given: Readonly<Record<string, unknown>>): Promise<void>;
  askTarget(start: FormStart & { kind: 'step-up' }, again: boolean): Promise<void>;
  askCode(start: FormStart & { kind: 'step-up' }, again: boolean): Promise<void>;
  /** Hands the code on and deletes its message. False: that was no code, ask again. */
  confirm(start: FormStart & { kind: 'step-up' }, typed: string, updateId: number, messageId: number): Promise<boolean>;
  say(start: FormStart, key: string): Promise<void>;
}

export function createFormServices(options: FormOptions): FormServices {
  const { db, operations, requests, codes, random, clock } = options;

  const readerOf = async (start: FormStart): Promise<Addressee> => {
    const operator = options.people(start.operator);
    if (operator) return options.readers.operator(operator);
    return options.readers.chat(start.origin.chat ?? 0);
  };

  const tell = async (start: FormStart, make: (reader: Addressee) => Doc, ask = false): Promise<void> => {
    const reader = await readerOf(start);
    const { chat, thread, replyTo } = start.origin;
    if (chat === undefined) return;
    const sent = await post(
      db,
      random,
      {
        chat,
        thread,
        replyTo,
        doc: make(reader),
        reader,
        priority: PRIORITY.answer,
        onlyFor: start.operator,
        // With privacy mode, a bot in a group hears replies to itself only.
        forceReply: ask && chat < 0,
      },
      options.lane,
    );
    if (sent !== 'taken') options.wake();
  };

  const operationOf = (start: FormStart & { kind: 'arguments' }): Operation | undefined =>
    operations.get(start.operation);

  const choicesOf = async (
    start: FormStart,
    argument: Argument,
    given: Readonly<Record<string, unknown>>,
  ): Promise<readonly Choice[]> => {
    const { zone } = await readerOf(start);
    const asked = { zone, now: clock.now() };
    const choices = argument.options ?? (await argument.choices?.(options.facts, given, asked)) ?? [];
    return choices.length <= MAX_CHOICES ? choices : [];
  };

  return {
    ask: async (start, given) => {
      const operation = operationOf(start);
      const argument = operation && nextMissing(operation, given);
      if (!operation || !argument) return undefined;
      const choices = await choicesOf(start, argument, given);
      const { zone } = await readerOf(start);
      const note = await argument.note?.(options.facts, given, { zone, now: clock.now() });
      const buttonOf = (choice: Choice, t: Translate): Button => {
        const { value, label } = typeof choice === 'string' ? { value: choice, label: undefined } : choice;
        const read = readValue(argument, value);
        const args = { ...given, [argument.name]: read.ok ? read.value : value };
        const press = { kind: 'operation', operation: operation.name, args } as const;
        return { kind: 'press', label: label ? t(label.key, label.args) : value, press };
      };
      const rows = choices.some((one) => typeof one !== 'string') ? choices.map((one) => [one]) : [choices];
      await tell(
        start,
        ({ t }) => ({
          blocks: [
            line(bold(t(`${operation.key}-arg-${argument.name}`))),
            ...(note ? [line(t(note.key, note.args))] : []),
            line(`${t(choices.length > 0 ? 'bot-form-choose' : 'bot-form-reply')} ${t('bot-form-cancel')}`),
          ],
          ...(choices.length > 0 ? { buttons: rows.map((row) => row.map((one) => buttonOf(one, t))) } : {}),
        }),
        choices.length === 0,
      );
      return argument.name;
    },

    read: async (start, name, text, updateId) => {
      const operation = operationOf(start);
      const argument = operation?.arguments.find((one) => one.name === name);
      if (!argument) return { ok: false };
      const typed = isMasked(text) ? (codes.use(updateId) ?? text) : text;
      const value = readValue(argument, typed);
      if (value.ok) return value;
      await tell(start, ({ t }) => doc(title('question', t('bot-form-wrong', { word: typed, reason: value.reason }))));
      return { ok: false };
    },

    request: async (start, given) => {
      const actor = { kind: 'operator', id: start.operator } as const;
      try {
        await requests.request(actor, start.operation, given, { origin: start.origin, idempotencyKey: start.key });
        options.wake();
      } catch (error) {
        if (!(error instanceof VakhtaError) || error.kind === 'transient') throw error;
        const operation = operationOf(start);
        await tell(start, ({ t }) =>
          errorDoc(error, t, operation && error.kind === 'usage' ? usage(operation) : undefined),
        );
      }
    },

    askTarget: (start, again) =>
      tell(
        start,
        ({ t }) =>
          doc(
            title('question', t(again ? 'bot-form-target-wrong' : 'bot-form-target')),
            line(code(start.target)),
            line(t('bot-form-cancel')),
          ),
        true,
      ),

    askCode: (start, again) =>
      tell(
        start,
        ({ t }) => doc(title('lock', t(again ? 'bot-form-code-wrong' : 'bot-form-code')), line(t('bot-form-cancel'))),
        true,
      ),

    confirm: async (start, typed, updateId, messageId) => {
      const given = codes.use(updateId);
      const { chat } = start.origin;
      if (given === undefined) return false;
      if (chat !== undefined) {
        await enqueue(db, { chat, priority: PRIORITY.critical, kind: 'delete', body: { messageId } }, clock.now());
      }
      try {
        await requests.answer(start.runId, 'confirm', { kind: 'operator', id: start.operator }, { typed, code: given });
      } catch (error) {
        if (!(error instanceof VakhtaError) || error.kind === 'transient') throw error;
        await tell(start, ({ t }) => errorDoc(error, t));
      }
      options.wake();
      return true;
    },

    say: (start, key) => tell(start, ({ t }) => doc(line(t(key)))),
  };
}
