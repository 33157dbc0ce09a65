/** Shapes of the Bot API, in its own words, as far as the simulator produces them (core.telegram.org/bots/api). */

export interface User {
  readonly id: number;
  readonly is_bot: boolean;
  readonly first_name: string;
  readonly username?: string;
  readonly language_code?: string;
}

export type ChatType = 'private' | 'group' | 'supergroup';

export interface Chat {
  readonly id: number;
  readonly type: ChatType;
  readonly title?: string;
  readonly first_name?: string;
  readonly username?: string;
  readonly is_forum?: true;
}

export interface Entity {
  readonly type: string;
  /** UTF-16 code units. */
  readonly offset: number;
  readonly length: number;
  readonly url?: string;
  readonly language?: string;
  readonly user?: User;
  readonly custom_emoji_id?: string;
  readonly unix_time?: number;
  readonly date_time_format?: string;
}

export interface FormattedText {
  readonly text: string;
  readonly entities: readonly Entity[];
}

/** Kept as the bot gave it (the simulator understands `text`, `callback_data`, `disabled`). */
export interface InlineButton {
  readonly text: string;
  readonly callback_data?: string;
  readonly disabled?: object;
  readonly url?: string;
  readonly style?: string;
  readonly [field: string]: unknown;
}

export interface InlineMarkup {
  readonly inline_keyboard: readonly (readonly InlineButton[])[];
}

export interface PhotoSize {
  readonly file_id: string;
  readonly file_unique_id: string;
  readonly width: number;
  readonly height: number;
  readonly file_size: number;
}

export interface Document {
  readonly file_id: string;
  readonly file_unique_id: string;
  readonly file_name?: string;
  readonly mime_type?: string;
  readonly file_size: number;
}

export interface InaccessibleMessage {
  readonly chat: Chat;
  readonly message_id: number;
  readonly date: 0;
}

export interface Message {
  readonly message_id: number;
  readonly message_thread_id?: number;
  readonly is_topic_message?: true;
  readonly from?: User;
  readonly sender_chat?: Chat;
  readonly chat: Chat;
  /** Unix time, seconds. */
  readonly date: number;
  readonly edit_date?: number;
  readonly has_protected_content?: true;
  readonly reply_to_message?: Message;
  readonly text?: string;
  readonly entities?: readonly Entity[];
  readonly link_preview_options?: object;
  readonly caption?: string;
  readonly caption_entities?: readonly Entity[];
  readonly photo?: readonly PhotoSize[];
  readonly document?: Document;
  readonly media_group_id?: string;
  readonly reply_markup?: InlineMarkup;
  readonly pinned_message?: Message | InaccessibleMessage;
  readonly forum_topic_created?: { readonly name: string; readonly icon_color: number };
  readonly forum_topic_edited?: { readonly name?: string };
  readonly forum_topic_closed?: object;
  readonly forum_topic_reopened?: object;
  readonly migrate_to_chat_id?: number;
  readonly migrate_from_chat_id?: number;
  readonly new_chat_members?: readonly User[];
  readonly left_chat_member?: User;
}

/** What a message holds besides its envelope. */
export type MessageContent = Omit<
  Message,
  'message_id' | 'chat' | 'date' | 'from' | 'message_thread_id' | 'is_topic_message'
>;

export interface CallbackQuery {
  readonly id: string;
  readonly from: User;
  readonly message: Message | InaccessibleMessage;
  readonly chat_instance: string;
  readonly data: string;
}

export interface UpdatePayloads {
  readonly message: Message;
  readonly edited_message: Message;
  readonly callback_query: CallbackQuery;
  readonly my_chat_member: object;
}

export type UpdateKind = keyof UpdatePayloads;

export type Update = { readonly update_id: number } & { readonly [K in UpdateKind]?: UpdatePayloads[K] };

/** One of the cast: a person who can be played in the web chat and in tests. */
export interface Person {
  readonly id: number;
  readonly first_name: string;
  readonly username: string;
  readonly language_code: string;
  /** Shown in the web chat only; Telegram knows nothing of it. */
  readonly role?: string;
  readonly color?: string;
  /** Whether the person has pressed Start, so that the bot may write first. Default true. */
  readonly started?: boolean;
}

export interface BotRights {
  readonly can_send_messages: boolean;
  readonly can_send_media: boolean;
  readonly can_pin_messages: boolean;
  readonly can_manage_topics: boolean;
  readonly can_delete_messages: boolean;
}

export interface GroupSpec {
  /** Negative; a supergroup's begins with -100. */
  readonly id: number;
  readonly title: string;
  /** Default `supergroup`. */
  readonly type?: 'group' | 'supergroup';
  readonly forum?: boolean;
  readonly topics?: readonly { readonly name: string; readonly thread_id?: number }[];
  /** Ids of the cast. */
  readonly members: readonly number[];
  /** Ids of those members who administrate the group. */
  readonly admins?: readonly number[];
  /** Default `administrator`; an administrator sees every message, a member only what privacy mode lets through. */
  readonly bot?: 'administrator' | 'member';
  readonly rights?: Partial<BotRights>;
}
