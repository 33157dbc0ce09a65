import type { Update, UserFromGetMe } from '@grammyjs/types';
import {
  type Conversation,
  type ConversationData,
  type ConversationFlavor,
  conversations,
  createConversation,
  type VersionedState,
} from '@grammyjs/conversations';
import { Api, Composer, Context } from 'grammy';
import { z } from 'zod';
import { minutes } from '../core/clock.ts';
import { get, remove, set } from '../store/conversations.ts';
import { createFormServices, type FormOptions, type FormStart } from './form/services.ts';
import { formKey } from './identity.ts';

/** Raised with every change of `form` below: the library cannot replay an old state through new code. */
const VERSION = 1;
const NAME = 'form';
const MAX_AGE_MS = minutes(30);

type FormContext = ConversationFlavor<Context>;

export interface Form {
  /** Begins to ask; a form that is open there is forgotten. */
  enter(update: Update, start: FormStart): Promise<void>;
  /** Offers an update as an answer; true when there was a form that took it. */
  offer(update: Update): Promise<boolean>;
  /** Forgets the form; false when there was none. */
  cancel(update: Update): Promise<boolean>;
}

/**
 * The one conversation. It makes no calls of the Bot API: what it says goes into the outbox through `external`, so that
 * nothing in it can fail but the database. It never sees a secret: step-up codes are masked before they get here.
 */
export function createForm(options: FormOptions & { readonly me: () => UserFromGetMe }): Form {
  const { db, clock } = options;
  const services = createFormServices(options);
  // Without a token: a call of the Bot API from inside the conversation cannot work, and shows at once.
  const noApi = new Api('none');

  const form = async (conversation: Conversation<FormContext>, _: Context, start: FormStart): Promise<void> => {
    const answer = () => conversation.waitUntil(isAnswer, { maxMilliseconds: MAX_AGE_MS });
    if (start.kind === 'arguments') {
      const given: Record<string, unknown> = { ...start.args };
      for (;;) {
        const asked = { ...given };
        const name = await conversation.external(async () => (await services.ask(start, asked)) ?? null);
        if (name === null) break;
        for (;;) {
          const { text, updateId } = answerOf(await answer());
          const read = await conversation.external(() => services.read(start, name, text, updateId));
          if (!read.ok) continue;
          given[name] = read.value;
          break;
        }
      }
      return conversation.external(() => services.request(start, given));
    }
    await conversation.external(() => services.askTarget(start, false));
    let typed = answerOf(await answer()).text.trim();
    while (typed !== start.target) {
      await conversation.external(() => services.askTarget(start, true));
      typed = answerOf(await answer()).text.trim();
    }
    await conversation.external(() => services.askCode(start, false));
    for (;;) {
      const { updateId, messageId } = answerOf(await answer());
      if (await conversation.external(() => services.confirm(start, typed, updateId, messageId))) return;
      await conversation.external(() => services.askCode(start, true));
    }
  };

  const storage = {
    type: 'context' as const,
    version: VERSION,
    adapter: {
      read: async (ctx: Context): Promise<VersionedState<ConversationData> | undefined> => {
        const key = formKey(ctx.update);
        return key === undefined ? undefined : stored(await get(db, key));
      },
      write: async (ctx: Context, state: VersionedState<ConversationData>): Promise<void> => {
        const key = formKey(ctx.update);
        if (key !== undefined) await set(db, key, state, clock.now());
      },
      delete: async (ctx: Context): Promise<void> => {
        const key = formKey(ctx.update);
        if (key !== undefined) await remove(db, key);
      },
    },
  };

  /** Runs the update through the library; `inside` when no form takes it. */
  const run = async (update: Update, inside: (context: FormContext) => Promise<void>): Promise<void> => {
    const composer = new Composer<FormContext>();
    composer.use(conversations<FormContext, Context>({ storage }));
    composer.use(createConversation<FormContext, Context>(form, { id: NAME, parallel: true }));
    composer.use(inside);
    // The library adds `conversation` to the context before anything of ours sees it.
    const context = new Context(update, noApi, options.me()) as FormContext;
    await composer.middleware()(context, () => Promise.resolve());
  };

  const enter = async (update: Update, start: FormStart): Promise<void> => {
    await cancel(update);
    await run(update, (context) => context.conversation.enter(NAME, start));
  };

  const cancel = async (update: Update): Promise<boolean> => {
    const key = formKey(update);
    return key === undefined ? false : remove(db, key);
  };

  return {
    enter,
    cancel,
    offer: async (update) => {
      const key = formKey(update);
      if (key === undefined || !isAnswer({ message: update.message })) return false;
      const before = await get(db, key);
      if (before === undefined) return false;
      const outdated = startOfOther(before);
      if (outdated !== undefined) {
        await services.say(outdated, 'bot-form-restarted');
        await enter(update, outdated);
        return true;
      }
      let taken = true;
      try {
        await run(update, () => {
          taken = false;
          return Promise.resolve();
        });
      } catch (error) {
        // The library forgets a form that threw; the next attempt finds it as it was.
        await set(db, key, before, clock.now());
        throw error;
      }
      return taken;
    },
  };
}

/** Text that is not a command. */
function isAnswer({ message }: { readonly message?: { readonly text?: string } | undefined }): boolean {
  return message?.text !== undefined && !message.text.startsWith('/');
}

function answerOf(context: Context): { text: string; updateId: number; messageId: number } {
  const { message } = context;
  return { text: message?.text ?? '', updateId: context.update.update_id, messageId: message?.message_id ?? 0 };
}

const version = z.tuple([z.literal(0), z.union([z.string(), z.number()])]);
const storedState = z.object({
  version,
  state: z.custom<ConversationData>((value) => typeof value === 'object' && value !== null),
});

function stored(raw: unknown): VersionedState<ConversationData> | undefined {
  const parsed = storedState.safeParse(raw);
  return parsed.success ? parsed.data : undefined;
}

const origin = z.object({
  chat: z.int().exactOptional(),
  thread: z.int().exactOptional(),
  replyTo: z.int().exactOptional(),
  incident: z.int().exactOptional(),
  shown: z.boolean().exactOptional(),
  dr: z.string().exactOptional(),
  reader: z.string().exactOptional(),
});
const start: z.ZodType<FormStart> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('arguments'),
    operator: z.string(),
    operation: z.string(),
    args: z.record(z.string(), z.unknown()),
    origin,
    key: z.string(),
  }),
  z.object({ kind: z.literal('step-up'), operator: z.string(), runId: z.string(), target: z.string(), origin }),
]);
const otherVersion = z.object({
  version: z.tuple([z.unknown(), z.union([z.string(), z.number()])]),
  state: z.object({ [NAME]: z.array(z.object({ args: z.string() })).min(1) }),
});

/** What a form of another version of the program asked for; its questions are put again from the beginning. */
function startOfOther(raw: unknown): FormStart | undefined {
  const parsed = otherVersion.safeParse(raw);
  if (!parsed.success || parsed.data.version[1] === VERSION) return undefined;
  const [first]: unknown[] = z.array(z.unknown()).parse(JSON.parse(parsed.data.state[NAME][0]?.args ?? '[]'));
  const read = start.safeParse(first);
  return read.success ? read.data : undefined;
}
