import type { Queryable } from '../../store/db.ts';
import { picture as findPicture } from '../../store/pictures.ts';
import { type OutboxRow, settleSent } from '../../store/outbox.ts';
import { codePoints, MAX_CAPTION } from '../render/text.ts';
import { parseDeleteBody, parseMessageBody, type Wire } from './body.ts';
import { isUndeletable } from './classify.ts';
import { createCardDelivery } from './deliver-card.ts';
import { delayNote, isLate, wayNotes } from './notes.ts';
import type { Delivered, DeliverOptions, Task } from './task.ts';
import { createTools } from './tools.ts';

/** Sends what a row stands for and notes it in the database. Errors of the Bot API come through. */
export function createDeliver(options: DeliverOptions): (task: Task) => Promise<Delivered> {
  const { db, sender, now } = options;
  const tools = createTools(options);
  const card = createCardDelivery(options, tools);

  /**
   * What was sent stands for the row, unless somebody else's message does by now: then it goes away again. `then` queues what
   * belongs to it, and is not to be forgotten by a crash.
   */
  const settle = async (
    row: OutboxRow,
    messageId: number,
    then?: (q: Queryable, messageId: number) => Promise<void>,
  ): Promise<Delivered> => {
    const work = async (q: Queryable): Promise<void> => {
      const settled = await settleSent(q, row, now(), messageId);
      if (settled?.kept === undefined || settled.kept === messageId) return then?.(q, messageId);
      const { t } = await options.readers.chat(row.chat);
      await tools.remove(q, row, messageId, t('outbox-superseded'));
    };
    await tools.note(() => Promise.all([then ? db.tx(work) : work(db), tools.recordSend(row.chat)]));
    return { kind: 'sent' };
  };

  const message = async (task: Task): Promise<Delivered> => {
    const { row, modes } = task;
    if (row.messageId !== undefined) {
      // Whoever sent it before has said so, late.
      await settleSent(db, row, now(), row.messageId);
      return { kind: 'sent' };
    }
    const body = parseMessageBody(row.body);
    const { document } = body;
    const to = tools.destination(task, body.replyTo, row.sound);
    if (document !== undefined) {
      const sent = await tools.counted(row.chat, () => sender.document(to, document));
      return settle(row, sent);
    }
    const { t } = await options.readers.chat(row.chat);
    const notes = wayNotes(row, modes, t, options.config);
    const waitedMs = now().getTime() - row.createdAt.getTime();
    if (row.waited !== undefined && isLate(waitedMs)) notes.push(delayNote(waitedMs, row.waited, t));
    const { edits } = body;
    const wanted = edits === undefined ? body.picture : undefined;
    const image = wanted === undefined || modes.has('no-picture') ? undefined : await findPicture(db, wanted.id);
    if (wanted !== undefined && image === undefined) notes.push(t('outbox-no-picture', { alt: wanted.alt }));
    const asPlain = modes.has('plain') || modes.has('document');
    const text = asPlain ? body.plain : body.text;
    const wire: Wire = {
      text: [modes.has('document') ? text.slice(0, 1000).toWellFormed() : text, ...notes].join('\n'),
      entities: asPlain ? [] : body.entities,
      // Whatever Telegram did not like may have been a button.
      keyboard: asPlain ? body.keyboard.map((keys) => keys.filter((key) => 'callback_data' in key)) : body.keyboard,
      files: modes.has('document') ? [{ name: 'message.txt', text }, ...body.files] : body.files,
      ...(body.forceReply ? { forceReply: true } : {}),
    };
    const isCaption = image !== undefined && codePoints(wire.text) <= MAX_CAPTION;
    task.edits(edits);
    const shown = await tools.counted(row.chat, () =>
      tools.show({
        to,
        messageId: edits,
        wire,
        picture: isCaption || body.isCaption ? { image, isShown: body.isCaption === true } : undefined,
      }),
    );
    const aside = image === undefined || isCaption ? undefined : wanted;
    if (aside === undefined && wire.files.length === 0) return settle(row, shown);
    return settle(row, shown, async (q, messageId) => {
      if (aside !== undefined) await tools.queuePicture(q, row, to.thread, aside, messageId, String(row.id));
      await tools.queueFiles(q, row, to.thread, wire.files, messageId, String(row.id));
    });
  };

  const remove = async ({ row }: Task): Promise<Delivered> => {
    const { messageId, instead } = parseDeleteBody(row.body);
    try {
      await tools.counted(row.chat, () => sender.delete(row.chat, messageId));
    } catch (error) {
      if (instead === undefined || !isUndeletable(error)) throw error;
      const wire: Wire = { text: instead, entities: [], keyboard: [], files: [] };
      await tools.counted(row.chat, () =>
        sender.edit(row.chat, messageId, wire).catch(() => sender.editCaption(row.chat, messageId, wire)),
      );
    }
    await settleSent(db, row, now());
    return { kind: 'sent' };
  };

  return (task) => {
    switch (task.row.kind) {
      case 'message':
        return message(task);
      case 'card':
        return card(task);
      case 'delete':
        return remove(task);
    }
  };
}
