import { GrammyError, HttpError } from 'grammy';
import { VakhtaError } from '../../core/error.ts';

/** What Telegram's answer means for the message that was being sent, edited or deleted. */
export type Failure =
  /** Not sent: the whole chat waits. */
  | { readonly kind: 'flood'; readonly retryAfterMs: number }
  /** The chat shows exactly this already. */
  | { readonly kind: 'same' }
  | { readonly kind: 'migrated'; readonly to: number }
  | { readonly kind: 'thread-gone' }
  /** The looks or the buttons were not accepted: plain text is. */
  | { readonly kind: 'entities'; readonly reason: string }
  /** The message to edit or to delete is not there, or is not ours to change. */
  | { readonly kind: 'message-gone' }
  | { readonly kind: 'reply-gone' }
  | { readonly kind: 'too-long' }
  /** The picture was not accepted: the text is. */
  | { readonly kind: 'picture'; readonly reason: string }
  /** Nothing can be written to this chat until somebody mends it. */
  | { readonly kind: 'chat-gone'; readonly reason: string }
  /** The token does not work: nothing can be written anywhere. */
  | { readonly kind: 'unauthorized' }
  /** Not sent, because nobody was reached. */
  | { readonly kind: 'unsent'; readonly reason: string }
  /** Whether it was sent is not known. */
  | { readonly kind: 'unknown'; readonly reason: string }
  /** Refused for another reason: sending it again is no use. */
  | { readonly kind: 'refused'; readonly reason: string };

type Described =
  | 'same'
  | 'thread-gone'
  | 'reply-gone'
  | 'message-gone'
  | 'picture'
  | 'too-long'
  | 'entities'
  | 'chat-gone';

/** Words of Telegram's description (telegram.md, "Errors"), in the order in which they are tried. */
const DESCRIPTIONS: readonly (readonly [RegExp, Described])[] = [
  [/message is not modified/i, 'same'],
  [/message thread not found|TOPIC_CLOSED|TOPIC_DELETED/i, 'thread-gone'],
  [/message to be replied not found|replied message not found|reply message not found/i, 'reply-gone'],
  [
    /message to (edit|delete) not found|message can't be (edited|deleted)|MESSAGE_ID_INVALID|no (text|caption) in the message to edit/i,
    'message-gone',
  ],
  [
    /PHOTO_|IMAGE_PROCESS_FAILED|MEDIA_INVALID|MEDIA_EMPTY|too big for a photo|as photo|message caption is too long|not enough rights to send photos|Request Entity Too Large/i,
    'picture',
  ],
  [/message is too long|text is too long|MESSAGE_TOO_LONG|reply markup is too long/i, 'too-long'],
  [
    /can't parse|entity (begins|ends|beginning)|ENTIT(Y|IES)_|BUTTON_|inline keyboard button|Wrong HTTP URL|message text is empty/i,
    'entities',
  ],
  [
    /chat not found|PEER_ID_INVALID|CHAT_WRITE_FORBIDDEN|CHAT_RESTRICTED|CHANNEL_PRIVATE|user not found|not enough rights|chat_id is empty|have no rights/i,
    'chat-gone',
  ],
];

/** No byte of the request has left: the address was not found or refused the connection. */
const NOT_REACHED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Reads an error of a Bot API call. Anything that is not understood counts as "perhaps sent". */
export function classify(error: unknown): Failure {
  if (error instanceof GrammyError) return classifyAnswer(error);
  if (error instanceof HttpError) {
    const reason = networkReason(error.error);
    return NOT_REACHED.has(reason) ? { kind: 'unsent', reason } : { kind: 'unknown', reason };
  }
  // The database was away before anything was sent; what happens after the call says so in another way.
  if (error instanceof VakhtaError && error.kind === 'transient') return { kind: 'unsent', reason: error.code };
  return { kind: 'unknown', reason: error instanceof Error ? error.name : 'error' };
}

function classifyAnswer({ error_code: code, description, parameters }: GrammyError): Failure {
  const reason = `${code} ${description}`;
  if (code === 429) return { kind: 'flood', retryAfterMs: (parameters.retry_after ?? 5) * 1000 };
  if (code >= 500) return { kind: 'unknown', reason };
  if (code === 401 || code === 404) return { kind: 'unauthorized' };
  if (parameters.migrate_to_chat_id !== undefined) return { kind: 'migrated', to: parameters.migrate_to_chat_id };
  const kind = DESCRIPTIONS.find(([words]) => words.test(description))?.[1];
  switch (kind) {
    case 'same':
    case 'thread-gone':
    case 'reply-gone':
    case 'message-gone':
    case 'too-long':
      return { kind };
    case 'entities':
    case 'picture':
    case 'chat-gone':
      return { kind, reason };
    case undefined:
      return code === 403 ? { kind: 'chat-gone', reason } : { kind: 'refused', reason };
  }
}

/** The message is there, but too old (or not ours) to be deleted. */
export const isUndeletable = (error: unknown): boolean =>
  error instanceof GrammyError && error.error_code === 400 && error.description.includes("message can't be deleted");

/** The system's error code, never the message: that holds the address with the token. */
function networkReason(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'network';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('cause' in error && error.cause !== undefined) return networkReason(error.cause);
  if ('type' in error && typeof error.type === 'string') return error.type;
  if (error instanceof Error && error.message.includes('timed out')) return 'timeout';
  return 'network';
}

/** An error of the Bot API as it may be logged: without the address (which holds the token) and without the payload. */
export function loggable(error: unknown): Record<string, unknown> {
  if (error instanceof GrammyError) {
    return {
      method: error.method,
      code: error.error_code,
      description: error.description,
      parameters: error.parameters,
    };
  }
  if (error instanceof HttpError) return { network: networkReason(error.error) };
  return { error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
}
