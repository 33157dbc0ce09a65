import type { Update, UserFromGetMe } from '@grammyjs/types';
import { Api } from 'grammy';
import type { Hono } from 'hono';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { doc, title } from '../core/doc.ts';
import type { Catalogue } from '../core/i18n.ts';
import { jitter } from '../core/jitter.ts';
import type { Log } from '../core/log.ts';
import { needsStepUp } from '../core/policy.ts';
import { PRIORITY } from '../core/budget.ts';
import type { Random } from '../core/random.ts';
import type { Secret } from '../core/secret.ts';
import { createButtons } from '../handlers/buttons.ts';
import { commands as allCommands } from '../handlers/commands/registry.gen.ts';
import type { Command } from '../handlers/commands/define.ts';
import { appendAudit } from '../store/audit.ts';
import { enable, migrateChat } from '../store/chats.ts';
import type { Database } from '../store/db.ts';
import { languages } from '../store/prefs.ts';
import { run as findRun } from '../store/runs.ts';
import type { Facts, Operation } from '../tasks/define.ts';
import type { Requests } from '../tasks/lifecycle/requests.ts';
import type { Runbooks } from '../tasks/runbooks.ts';
import type { CardKind } from './cards/define.ts';
import { cards as allCards } from './cards/registry.gen.ts';
import { createCommands, parseCommand } from './commands.ts';
import { createComments } from './comments.ts';
import { createForm } from './form.ts';
import { identify, isKnownChat, type Place, placeOf } from './identity.ts';
import { createIntake } from './intake.ts';
import { POLL_CLIENT_SECONDS } from './intake/poller.ts';
import { Codes } from './intake/updates.ts';
import type { Handling } from './intake/worker.ts';
import { menus, publishMenus } from './menu.ts';
import { type BotMetrics, noMetrics } from './metrics.ts';
import { createOutbox, SEND_TIMEOUT_SECONDS } from './outbox.ts';
import { post } from './outbox/body.ts';
import { loggable } from './outbox/classify.ts';
import { createSender } from './outbox/sender.ts';
import { createPresses, PRESS_LIFE_MS } from './presses.ts';
import { createReaders } from './readers.ts';
import { createStrangers } from './strangers.ts';

export interface BotOptions {
  readonly config: Config;
  readonly db: Database;
  readonly requests: Requests;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly catalogue: Catalogue;
  readonly facts: Facts;
  /** The runbooks that come with the program. */
  readonly runbooks?: Runbooks;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics?: BotMetrics;
  readonly telegram: {
    readonly token: Secret;
    readonly apiRoot: string;
    /** With it updates come as calls of `webhookRoute`, without it by long polling. */
    readonly webhook?: { readonly url: string; readonly secret: Secret };
  };
  /** Default: everything registered. Tests hand in their own. */
  readonly commands?: readonly Command[];
  readonly cards?: readonly CardKind[];
  /** How long a press may go unanswered while it is worked on. Tests of what the answer says have more patience than people. */
  readonly answerPressWithinMs?: number;
}

export interface Bot {
  /** Connects and works until `stop`. Resolves when it knows its own name; retries until then. */
  start(signal?: AbortSignal): Promise<void>;
  /** Lets what is under way end. What was received but not handled waits in the inbox. */
  stop(): Promise<void>;
  /** Telegram has answered: it knows its own name. */
  ready(): boolean;
  /** `POST /telegram/webhook`, in webhook mode. */
  readonly webhookRoute?: Hono;
  /** Telegram has answered, so that updates come in. */
  ready(): boolean;
  /** Something was queued by another part of the program in this process. */
  wake(): void;
}

const ENABLE_EVERY_MS = 60_000;

/** Telegram, in and out. */
export function createBot(options: BotOptions): Bot {
  const { config, db, clock, random, log, catalogue, operations, requests, telegram } = options;
  const metrics = options.metrics ?? noMetrics;
  const commands = options.commands ?? allCommands;
  const cards = new Map((options.cards ?? allCards).map((one) => [one.kind, one]));
  const client = (timeoutSeconds: number) =>
    new Api(telegram.token.reveal(), { apiRoot: telegram.apiRoot, timeoutSeconds });
  const api = client(SEND_TIMEOUT_SECONDS);
  const pollingApi = client(POLL_CLIENT_SECONDS);
  const people = (id: string) => config.operators.find((one) => one.id === id);
  let me: UserFromGetMe | undefined;
  const self = (): UserFromGetMe => {
    if (me === undefined) throw new Error('the bot has not started');
    return me;
  };

  const readers = createReaders({ db, config, catalogue, clock });
  const codes = new Codes();
  const sender = createSender(api, metrics);
  const { runbooks } = options;
  const outbox = createOutbox({
    db,
    config,
    cards,
    operations,
    people,
    readers,
    runbooks,
    random,
    log,
    sender,
    clock,
    metrics,
  });
  const { wake, urgent, lane } = outbox;
  const form = createForm({
    db,
    requests,
    operations,
    people,
    facts: options.facts,
    readers,
    clock,
    random,
    codes,
    wake,
    lane,
    me: self,
  });
  const say = createCommands({
    db,
    config,
    requests,
    operations,
    commands,
    catalogue,
    readers,
    form,
    clock,
    random,
    wake,
    lane,
    languageChosen: () => void publish(),
  });
  const press = createButtons({
    db,
    requests,
    operations,
    clock,
    needsStepUp: async (runId) => {
      const run = await findRun(db, runId);
      const operation = run && operations.get(run.operation);
      if (!operation || run.state !== 'confirming') return false;
      return needsStepUp(operation.approval, config.policy.solo);
    },
  });
  const { answerPressWithinMs: answerWithinMs } = options;
  const pressed = createPresses({ db, api, press, readers, people, form, clock, log, wake, urgent, answerWithinMs });
  const strangers = createStrangers({ db, config, catalogue, clock, random });
  const comments = createComments({ db, clock, random, readers, wake, urgent, lane });

  const handleMessage = async (update: Update, place: Place): Promise<void> => {
    const { message } = update;
    if (!message) return;
    if (message.migrate_to_chat_id !== undefined) {
      const to = message.migrate_to_chat_id;
      await db.tx((tx) => migrateChat(tx, place.chat.id, to, clock.now()));
      log.warn({ from: place.chat.id, to }, 'a group became a supergroup: change chat_id in the configuration');
      return wake();
    }
    const text = message.text ?? message.caption ?? '';
    if (text === '') return;
    const typed = text.startsWith('/') ? parseCommand(text) : undefined;
    const isForOther = typed?.bot !== undefined && typed.bot.toLowerCase() !== self().username.toLowerCase();
    if (isForOther) return;
    const who = identify(update, config);
    const isPrivate = place.chat.type === 'private';
    const card = typed ? undefined : await comments.find(message);
    if (who.kind === 'anonymous') {
      if ((typed || card) && isKnownChat(config, place.chat)) await sayAnonymous(place);
      return;
    }
    if (who.kind === 'outsider') {
      if (!typed && !isPrivate && !card) return;
      const { id, language_code: language } = who.user;
      await strangers.met({ id, language }, place, typed ? `/${typed.name}` : 'message');
      return wake();
    }
    // Whoever writes to the bot in private can be written to again.
    if (isPrivate) enableNow(place.chat.id);
    if (typed) return say({ update, message, place, operator: who.operator, user: who.user }, typed);
    if (card) return comments.take(card, text, place, who.operator);
    if (await form.offer(update)) return wake();
    if (!isPrivate) return;
    const reader = await readers.operator(who.operator);
    await post(db, random, {
      chat: place.chat.id,
      replyTo: place.messageId,
      doc: doc(title('question', reader.t('bot-hint'))),
      reader,
      priority: PRIORITY.answer,
    });
    wake();
  };

  /** Once in a while is enough, and nobody waits for it. */
  const enabledAt = new Map<number, number>();
  const enableNow = (chat: number): void => {
    const now = clock.now().getTime();
    if (now - (enabledAt.get(chat) ?? -Infinity) < ENABLE_EVERY_MS) return;
    enabledAt.set(chat, now);
    enable(db, chat).catch((error: unknown) => log.warn(loggable(error), 'a chat was not enabled again'));
  };

  const sayAnonymous = async (place: Place): Promise<void> => {
    const reader = await readers.chat(place.chat.id);
    await post(db, random, {
      chat: place.chat.id,
      thread: place.thread,
      replyTo: place.messageId,
      doc: doc(title('lock', reader.t('bot-anonymous'))),
      reader,
      priority: PRIORITY.answer,
      dedupeKey: `anonymous:${place.chat.id}:${reader.now.toISOString().slice(0, 10)}`,
    });
    wake();
  };

  const handle = async ({ update, receivedAt }: Handling): Promise<void> => {
    const place = placeOf(update);
    const member = update.my_chat_member;
    if (member && ['member', 'administrator'].includes(member.new_chat_member.status)) {
      if (await enable(db, member.chat.id)) log.info({ chat: member.chat.id }, 'a chat can be written to again');
      return wake();
    }
    if (!place) return;
    const query = update.callback_query;
    if (!query) return handleMessage(update, place);
    // Made in another situation, before a long stop: the button is still there to be pressed again.
    if (clock.now().getTime() - receivedAt.getTime() > PRESS_LIFE_MS) return;
    const who = identify(update, config);
    if (who.kind === 'outsider') {
      await strangers.met(
        { id: who.user.id, language: who.user.language_code },
        { ...place, chat: place.chat },
        'press',
      );
    }
    return pressed(update, query, place, who.kind === 'operator' ? who.operator : undefined);
  };

  const gaveUp = async (update: Update, errorId: string, error: unknown): Promise<void> => {
    const place = placeOf(update);
    const who = identify(update, config);
    const actor = who.kind === 'operator' ? `operator:${who.operator.id}` : 'system:bot';
    const detail = { update: update.update_id, error: error instanceof Error ? error.name : 'error' };
    await db.tx((tx) =>
      appendAudit(tx, { actor, action: 'update.failed', subject: `error:${errorId}`, detail }, clock.now()),
    );
    if (!place || who.kind !== 'operator') return;
    const reader = await readers.operator(who.operator);
    await post(db, random, {
      chat: place.chat.id,
      thread: place.thread,
      replyTo: place.messageId,
      doc: doc(title('failed', reader.t('bot-gave-up', { id: errorId }))),
      reader,
      priority: PRIORITY.answer,
    });
    wake();
  };

  const { webhook } = telegram;
  const intake = createIntake({
    db,
    api: pollingApi,
    clock,
    random,
    log,
    metrics,
    codes,
    handle,
    gaveUp,
    ...(webhook ? { webhook } : {}),
  });

  const meet = async (signal: AbortSignal): Promise<void> => {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        me = await api.getMe();
        return;
      } catch (error) {
        log.error(loggable(error), 'Telegram does not answer getMe: check telegram.token and the network');
        await clock.sleep(jitter(random, Math.min(30_000, 1000 * 2 ** failures)), signal).catch(() => {});
      }
    }
  };

  /** The menus follow the languages that people chose. */
  const publish = async (): Promise<void> => {
    try {
      const chosen = await languages(db);
      const wanted = menus(config, (id) => chosen.get(id), catalogue, operations.values(), commands);
      await publishMenus({ api, db, clock, log, signal: stopping.signal }, wanted);
    } catch (error) {
      log.warn(loggable(error), 'the command menus were not set');
    }
  };

  const stopping = new AbortController();
  let running: Promise<unknown> = Promise.resolve();

  return {
    start: async (signal) => {
      signal?.addEventListener('abort', () => stopping.abort(signal.reason), { once: true });
      await meet(stopping.signal);
      if (stopping.signal.aborted) return;
      running = Promise.all([outbox.run(stopping.signal), intake.run(stopping.signal), publish()]);
      // A failure here is a bug; it must be heard before `stop`.
      running.catch((error: unknown) => log.error(loggable(error), 'the bot stopped working'));
    },
    stop: async () => {
      stopping.abort(new Error('the bot stops'));
      await running.catch(() => {});
    },
    wake,
    ready: () => me !== undefined,
    ...(intake.route ? { webhookRoute: intake.route } : {}),
  };
}
