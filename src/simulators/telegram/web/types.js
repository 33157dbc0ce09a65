/**
 * Shapes of the Bot API (https://core.telegram.org/bots/api) and of the simulator's `/cast` interface, as far as the chat
 * draws them. Types only.
 *
 * @typedef {{ id: number, first_name: string, last_name?: string, username?: string, is_bot?: boolean, language_code?: string }} User
 * @typedef {User & { role?: string, color?: string }} Person
 * @typedef {{ thread_id: number, name: string, closed?: boolean }} Topic
 * @typedef {{
 *   id: number, type: 'private' | 'group' | 'supergroup', title: string, person?: number, forum?: boolean, topics?: Topic[],
 *   members: number[], pinned?: number,
 * }} Chat
 * @typedef {{ now: string, bot: User, people: Person[], chats: Chat[] }} World
 * @typedef {{
 *   type: string, offset: number, length: number, url?: string, user?: User, language?: string,
 *   unix_time?: number, date_time_format?: string,
 * }} Entity
 * @typedef {{
 *   text: string, style?: string, url?: string, callback_data?: string, copy_text?: { text: string }, disabled?: object,
 *   web_app?: { url: string }, login_url?: { url: string },
 * }} InlineButton
 * @typedef {{ file_id: string, width: number, height: number, file_size?: number }} PhotoSize
 * @typedef {{ file_id: string, file_name?: string, mime_type?: string, file_size?: number }} DocumentFile
 * @typedef {{
 *   message_id: number, date: number, chat: { id: number }, from?: User, sender_chat?: { id: number, title?: string },
 *   message_thread_id?: number, is_topic_message?: boolean, edit_date?: number,
 *   text?: string, entities?: Entity[], caption?: string, caption_entities?: Entity[],
 *   photo?: PhotoSize[], document?: DocumentFile, reply_to_message?: Message, quote?: { text: string, entities?: Entity[] },
 *   reply_markup?: { inline_keyboard?: InlineButton[][], force_reply?: boolean },
 *   pinned_message?: Message, forum_topic_created?: { name: string }, forum_topic_edited?: { name?: string },
 *   forum_topic_closed?: object, forum_topic_reopened?: object, new_chat_members?: User[], left_chat_member?: User,
 *   new_chat_title?: string, migrate_to_chat_id?: number, migrate_from_chat_id?: number,
 * }} Message
 * @typedef {{ command: string, description: string }} Command
 * @typedef {{
 *   type: 'message' | 'edit' | 'delete' | 'callback_answer' | 'chat_action' | 'world' | 'pin', chat?: number,
 *   message?: Message, message_id?: number, to?: number, text?: string, show_alert?: boolean, url?: string,
 *   action?: string, thread?: number,
 * }} CastEvent
 * @typedef {'ru' | 'en'} Language
 * @typedef {{ chat: number, thread: number }} Place  `thread` 0 is a chat without topics, or the topic "General"
 */
export {};
