import { z } from 'zod';
import { SEVERITIES, type Severity } from '../../core/incident.ts';
import { ROLES } from '../../core/people.ts';
import type { LabelTest } from '../../core/routing.ts';
import { id, language, readAs, secretRef, section, text, timeOfDay, zone } from './common.ts';

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

export const quietHours = section({
  from: timeOfDay().describe("When they begin, in the person's zone."),
  to: timeOfDay().describe('When they end; earlier than from means the next day.'),
  weekdays: z
    .array(z.enum(WEEKDAYS))
    .min(1)
    .default([...WEEKDAYS])
    .describe('Days on which they begin. Default: every day.'),
}).describe('No messages in private but criticals; what still burns is told when they end.');

export const operator = section({
  id: id().describe('Short stable name used in the audit and on cards.'),
  name: text().describe('Name for people.'),
  telegram_id: z
    .int()
    .positive()
    .describe('Numeric Telegram user id; the person sees it by writing /whoami to the bot.'),
  role: z.enum(ROLES).describe('viewer looks, operator acts, admin also approves and destroys.'),
  language: language().describe('Default: site.language.').exactOptional(),
  zone: zone().describe('Default: site.zone.').exactOptional(),
  quiet_hours: quietHours.exactOptional(),
  totp: secretRef().describe('Base32 TOTP secret for step-up codes.').exactOptional(),
});

export const PURPOSES = ['alerts', 'commands'] as const;

export const chat = section({
  id: id().describe('Name by which routes and digests refer to this chat.'),
  chat_id: z
    .int()
    .refine((value) => value !== 0, { params: { text: 'cfg-bad-chat-id' } })
    .describe('Telegram chat id: negative for a group, the user id of an operator for a private chat.'),
  title: text().describe('Name for people. Default: id.').exactOptional(),
  language: language().describe('Default: site.language.').exactOptional(),
  zone: zone().describe('Default: site.zone.').exactOptional(),
  topics: z
    .record(z.string().min(1), z.int().positive())
    .default({})
    .describe('Topics of a forum group: name → message_thread_id.'),
  purpose: z.enum(PURPOSES).default('alerts').describe('commands: people type here, but nothing is announced here.'),
});

const severity = z.enum(SEVERITIES);

const labelTest = () =>
  readAs((value): { ok: LabelTest } | { text: string } => {
    const inner = /^\/(.*)\/$/s.exec(value)?.[1];
    if (inner === undefined) return { ok: { equals: value } };
    try {
      // By itself first: "a)|(b" becomes valid inside the group.
      void new RegExp(inner, 'u');
      return { ok: { pattern: new RegExp(`^(?:${inner})$`, 'u') } };
    } catch {
      return { text: 'cfg-bad-regex' };
    }
  });

/** Label → value, or /regular expression/ over the whole value. */
export const labelTests = () => z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/), labelTest());

export const route = section({
  match: labelTests()
    .describe('Label → value, or /regular expression/ over the whole value. All must match.')
    .exactOptional(),
  severity: z
    .union([severity, z.array(severity).min(1)])
    .transform((value): readonly Severity[] => (Array.isArray(value) ? value : [value]))
    .describe('One severity or a list.')
    .exactOptional(),
  chat: z.string().describe('Id of a chat.'),
  topic: z.string().describe("Name of one of that chat's topics.").exactOptional(),
  topic_by: text()
    .describe('A label: each of its values has a topic of its own, made when it is needed.')
    .exactOptional(),
});

export const digest = section({
  id: id().describe('Name of this digest.'),
  chat: z.string().describe('Id of a chat.'),
  topic: z.string().describe("Name of one of that chat's topics.").exactOptional(),
  at: timeOfDay().describe("Time of day, in the digest's zone."),
  zone: zone().describe("Default: the chat's zone.").exactOptional(),
  weekdays: z
    .array(z.enum(WEEKDAYS))
    .min(1)
    .default([...WEEKDAYS])
    .describe('Default: every day.'),
  language: language().describe("Default: the chat's language.").exactOptional(),
});
