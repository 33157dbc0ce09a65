import { z } from 'zod';
import { count, id, language, port, secretRef, section, text, url, zone } from './common.ts';

export const site = section({
  id: id()
    .default('main')
    .describe('Short name of this installation; part of queue names when there are several sites.'),
  name: text().describe('Name for people, on cards and in the digest.'),
  zone: zone().describe('IANA time zone of the installation; the default for operators, chats and digests.'),
  language: language().default('en').describe('The default language.'),
}).describe('The installation.');

const limits = section({
  per_group_per_minute: count(1, 1000).default(20).describe('Messages to one group in a minute.'),
  per_chat_per_second: z.number().positive().max(100).default(1).describe('Messages to one chat in a second.'),
  overall_per_second: z.number().positive().max(1000).default(30).describe('Messages to all chats in a second.'),
}).describe('How fast the program may write; the defaults are those that Telegram publishes.');

export const telegram = section({
  token: secretRef().describe('Token of the bot, from @BotFather.'),
  api_root: url()
    .default('https://api.telegram.org')
    .describe('Address of the Bot API; another one for a local Bot API server.'),
  mode: z
    .enum(['polling', 'webhook'])
    .default('polling')
    .describe('How updates come in. Polling needs outgoing connections only.'),
  webhook: section({
    url: url().describe('Public https address that Telegram calls.'),
    secret: secretRef().describe('Value that Telegram repeats in X-Telegram-Bot-Api-Secret-Token.'),
  })
    .describe('Needed with mode: webhook.')
    .exactOptional(),
  limits: limits.prefault({}),
}).describe('The bot.');

export const http = section({
  host: text().default('127.0.0.1').describe('Address to listen on; 0.0.0.0 in a container.'),
  port: port().default(8080).describe('Port for webhooks, health and metrics.'),
}).describe('Webhooks, /healthz, /readyz and /metrics.');

export const database = section({
  url: secretRef()
    .describe(
      'PostgreSQL connection string. Default: the variable DATABASE_URL; without it, PostgreSQL runs inside data_dir.',
    )
    .exactOptional(),
}).describe('Where the state lives.');

export const queue = section({
  redis_url: secretRef()
    .describe('Redis connection string. Default: the variable REDIS_URL; without it, the queue lives in PostgreSQL.')
    .exactOptional(),
}).describe('Where jobs wait.');

export const log = section({
  level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least severe line that is written.'),
}).describe('The log, one JSON object a line, on standard output.');

export const policy = section({
  solo: z
    .boolean()
    .default(false)
    .describe('One person runs everything: a step-up code and a delay stand in for the second person.'),
  confirm_minutes: count(1, 1440).default(10).describe('How long a question "are you sure?" stays open.'),
  approve_minutes: count(1, 10_080).default(60).describe('How long a request waits for the second person.'),
  solo_delay_minutes: count(1, 1440)
    .default(5)
    .describe('With solo: delay before something destructive starts; it can be cancelled meanwhile.'),
  incident_reopen_minutes: count(0, 1440)
    .default(5)
    .describe('An alert that returns within this time continues the card that was resolved.'),
}).describe('Confirmation, approval, flapping.');

export const retention = section({
  days: count(7, 3650).default(180).describe('How long finished incidents, runs and messages are kept.'),
}).describe('What is forgotten, and when.');
