/** The address of a message in a supergroup, for its members; a private chat and a basic group have none. */
export function messageUrl({
  chat,
  messageId,
  thread,
}: {
  readonly chat: number;
  readonly messageId?: number | undefined;
  readonly thread?: number | undefined;
}): string | undefined {
  const id = /^-100(\d+)$/u.exec(String(chat))?.[1];
  if (id === undefined || messageId === undefined) return undefined;
  return `https://t.me/c/${id}/${thread === undefined ? '' : `${thread}/`}${messageId}`;
}
