import type { TelegramSimulator } from '../../../src/simulators/telegram/index.ts';
import { ALICE, type Answer, FORUM, type Harness } from './harness.ts';

export interface Row {
  readonly name: string;
  readonly code: number;
  readonly text: string;
  /** `server`: a literal of the Bot API server, looked up in the extract; `telegram`: comes from TDLib or from Telegram. */
  readonly from: 'server' | 'telegram';
  readonly provoke: (harness: Harness) => Promise<Answer>;
}

export const BR = 'Bad Request: ';
export const F = 'Forbidden: ';
export const edit = (h: Harness, message_id: number, more: object = {}) =>
  h.call('editMessageText', { chat_id: ALICE, message_id, text: 'new', ...more });
export const sendWith =
  (reply_markup: object, chat_id = ALICE) =>
  (h: Harness) =>
    h.call('sendMessage', { chat_id, text: 'x', reply_markup });
export const sendHtml = (text: string) => (h: Harness) =>
  h.call('sendMessage', { chat_id: ALICE, text, parse_mode: 'HTML' });
export const after =
  (
    action: Parameters<TelegramSimulator['cast']['admin']>[0],
    method = 'sendMessage',
    parameters: object = { text: 'x' },
  ) =>
  async (h: Harness) => {
    await h.sim.cast.admin(action);
    const chat_id = 'chat' in action ? action.chat : 'person' in action ? action.person : ALICE;
    return h.call(method, { chat_id, ...parameters });
  };
export const firstTopic = (h: Harness) => h.sim.cast.chat(FORUM).topics.keys().next().value ?? 0;
