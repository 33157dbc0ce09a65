import { type Doc, doc, quote } from '../../core/doc.ts';
import { nextFrame } from '../../core/budget.ts';
import { newErrorId } from '../../core/random.ts';
import { type Card, card as findCard, delivered, forgetDrawing, gone, redeliver } from '../../store/cards.ts';
import type { Queryable } from '../../store/db.ts';
import { type OutboxRow, perhapsSent, settleFailed, settleSent } from '../../store/outbox.ts';
import { type Picture, picture as findPicture } from '../../store/pictures.ts';
import type { Addressee } from '../readers.ts';
import { plain, render, type Rendered, renderingHash } from '../render.ts';
import { MAX_CAPTION } from '../render/text.ts';
import { openKeyboard, wireOf } from './body.ts';
import { delayNote, isLate, wayNotes } from './notes.ts';
import type { Delivered, DeliverOptions, Task } from './task.ts';
import type { Tools } from './tools.ts';
import { isGroup } from './traffic.ts';

/** What the message of a card is to be. */
interface Face {
  readonly rendered: Rendered;
  readonly hash: string;
  /** The id of the picture that the message itself is; absent: it is text. */
  readonly picture: string | undefined;
  /** Its bytes; absent when the chat shows it already. */
  readonly image: Picture | undefined;
}

/** Draws a card from the state of this moment and makes its message equal to that. */
export function createCardDelivery(options: DeliverOptions, tools: Tools): (task: Task) => Promise<Delivered> {
  const { db, random, now, config } = options;

  const draw = async (card: Card, reader: Addressee): Promise<Doc | 'gone'> => {
    const kind = options.cards.get(card.kind);
    if (!kind) throw new Error(`no card of kind ${card.kind}`);
    const { t, language, zone, operator } = reader;
    const { operations, people } = options;
    try {
      return await kind.render(
        {
          q: db,
          t,
          language,
          zone,
          now: reader.now,
          ...(operator ? { reader: operator } : {}),
          config,
          operations,
          people,
          ...(options.runbooks ? { runbooks: options.runbooks } : {}),
        },
        card,
      );
    } catch (error) {
      const id = newErrorId(random);
      options.log.error(
        { errorId: id, card: card.id, kind: card.kind, ref: card.ref, err: error },
        'a card was not drawn',
      );
      // Better a card that says so than a chat that looks quiet.
      return doc({ kind: 'title', icon: 'unknown', of: t('outbox-not-drawn', { id }) });
    }
  };

  /** Why the card was seen late for the first time; what was said once stays. */
  const delay = (found: Card, row: OutboxRow, reader: Addressee): { by?: Card['delayedBy']; note?: string } => {
    const since = found.wantedAt ?? found.createdAt;
    const ms = (found.firstDeliveredAt ?? reader.now).getTime() - since.getTime();
    const by = found.firstDeliveredAt === undefined && isLate(ms) ? options.delayed(row, since) : found.delayedBy;
    return by === undefined ? {} : { by, note: delayNote(ms, by, reader.t) };
  };

  /**
   * A message that is a picture stays one as long as there is a picture, its text shortened to a caption. One that is text
   * becomes a picture when the whole of its text fits; else the picture comes under it.
   */
  const face = async (found: Card, drawn: Doc, notes: readonly string[], task: Task, reader: Addressee) => {
    const { modes } = task;
    const wanted = drawn.picture;
    const isShown = wanted !== undefined && found.shownPicture === wanted.id;
    const image =
      wanted === undefined || isShown || modes.has('no-picture') ? undefined : await findPicture(db, wanted.id);
    const isLost = wanted !== undefined && !isShown && image === undefined;
    const all = isLost ? [...notes, reader.t('outbox-no-picture', { alt: wanted.alt })] : notes;
    const noted = all.length === 0 ? drawn : { ...drawn, blocks: [...drawn.blocks, quote(all)] };
    const as = modes.has('plain') ? plain : render;
    const text = as(noted, reader);
    if (wanted === undefined || isLost) {
      return { rendered: text, hash: renderingHash(text), picture: undefined, image: undefined } satisfies Face;
    }
    const caption = as(noted, reader, MAX_CAPTION);
    const isCaption =
      (found.messageId !== undefined && found.shownPicture !== undefined) ||
      caption.files.length === (drawn.file === undefined ? 0 : 1);
    const rendered = isCaption ? caption : text;
    const picture = isCaption ? wanted.id : undefined;
    return { rendered, hash: renderingHash(rendered, wanted.id), picture, image } satisfies Face;
  };

  const card = async (task: Task): Promise<Delivered> => {
    const { row, modes } = task;
    const found = row.cardId === undefined ? undefined : await findCard(db, row.cardId);
    if (found === undefined || found.goneAt !== undefined) return drop(row, 'card is gone');
    const reader = await options.readers.chat(found.chat, found.reader);
    const drawn = await draw(found, reader);
    if (drawn === 'gone') {
      await gone(db, found.id, now());
      return drop(row, 'state is gone');
    }
    const { messageId } = found;
    if (messageId === undefined && !task.urgent && drawn.hold !== undefined && drawn.hold > reader.now) {
      return { kind: 'early', until: drawn.hold };
    }
    const { thread, note: topicNote, until } = await place(task, found, reader);
    if (until !== undefined) return { kind: 'early', until };
    // Information is not repeated when nobody knows whether it arrived; what its card shows next says so instead.
    const repeats = messageId === undefined && (modes.has('repeat') || (await perhapsSent(db, found.id)));
    const said = new Set([...modes].filter((mode) => mode !== 'repeat'));
    const late = delay(found, row, reader);
    const notes = [
      ...wayNotes(row, repeats ? new Set([...said, 'repeat' as const]) : said, reader.t, config),
      ...(topicNote === undefined ? [] : [topicNote]),
      ...(late.note === undefined ? [] : [late.note]),
    ];
    const { rendered, hash, picture, image } = await face(found, drawn, notes, task, reader);
    if (messageId !== undefined && !task.urgent) {
      if (found.deliveredHash === hash) {
        await delivered(db, found.id, { ...asFound(found, messageId), hash }, now());
        await settleSent(db, row, now(), messageId);
        return { kind: 'sent' };
      }
      const due = frameDue(found, rendered);
      if (due !== undefined && due > reader.now.getTime()) return { kind: 'early', until: new Date(due) };
    }
    const keyboard = await openKeyboard(rendered.keyboard, {
      q: db,
      random,
      now: reader.now,
      chat: found.chat,
      cardId: found.id,
    });
    const wire = wireOf(rendered, keyboard);
    // Telegram makes a picture of a text, but never a text of a picture: then a new message takes its place.
    const replaces = found.shownPicture !== undefined && picture === undefined;
    const target = replaces ? undefined : messageId;
    // What is over when it is first seen, or only takes the place of another, does not have to wake anybody.
    const isQuiet = replaces || rendered.icon === 'resolved';
    const to = tools.destination({ ...task, thread }, found.replyTo, isQuiet ? false : (found.sound ?? row.sound));
    task.edits(target);
    const isShown = picture !== undefined && picture === found.shownPicture;
    const shown = await tools.counted(row.chat, () =>
      tools.show({ to, messageId: target, wire, picture: picture === undefined ? undefined : { image, isShown } }),
    );
    const at = now();
    const noteShown = async (q: Queryable): Promise<void> => {
      const noted = await delivered(
        q,
        found.id,
        {
          rev: found.rev,
          hash,
          messageId: shown,
          was: messageId,
          chat: found.chat,
          picture,
          firstAt: reader.now,
          delayedBy: late.by,
        },
        at,
      );
      if (noted === 'noted') {
        if (replaces && messageId !== undefined) await tools.remove(q, row, messageId, reader.t('outbox-superseded'));
        if (hasFiles) await tools.queueFiles(q, row, to.thread, wire.files, shown, `${found.id}:${filesPart(hash)}`);
        if (aside !== undefined) await tools.queuePicture(q, row, to.thread, aside, shown, found.id);
      } else {
        // Somebody else, who led before or leads now, was faster: one message stays, and is drawn once more.
        if (target === undefined) await tools.remove(q, row, shown, reader.t('outbox-superseded'));
        if (noted === 'outdated') await forgetDrawing(q, found.id);
        await redeliver(q, found.id, at);
      }
    };
    const hasFiles = filesPart(hash) !== filesPart(found.deliveredHash);
    const aside = image !== undefined && picture === undefined ? drawn.picture : undefined;
    await tools.note(async () => {
      // What belongs to the message is queued with its id, or not at all.
      await (replaces || hasFiles || aside !== undefined ? db.tx(noteShown) : noteShown(db));
      // The message id is stored before the row ends: a crash in between repeats an edit, never a message.
      await Promise.all([settleSent(db, row, at, shown), tools.recordSend(row.chat)]);
    });
    return { kind: 'sent' };
  };

  /** Where a new message goes; a topic that is missing is made first. */
  const place = async (
    task: Task,
    { messageId, topic }: Card,
    { t }: Addressee,
  ): Promise<{ readonly thread?: number | undefined; readonly note?: string; readonly until?: Date }> => {
    if (messageId !== undefined || topic === undefined) return { thread: task.thread };
    const found = task.modes.has('general')
      ? ({ kind: 'none' } as const)
      : await options.topics.find(task.row.chat, topic);
    if (found.kind === 'wait') return { until: found.until };
    return found.kind === 'thread' ? { thread: found.thread } : { note: t('outbox-no-new-topic', { topic }) };
  };

  const drop = async (row: OutboxRow, reason: string): Promise<Delivered> => {
    await settleFailed(db, row, 'dropped', now(), reason);
    return { kind: 'sent' };
  };

  return card;
}

const asFound = ({ rev, chat, shownPicture }: Card, messageId: number) => ({
  rev,
  chat,
  messageId,
  was: messageId,
  picture: shownPicture,
});

/** When a card that still shows the same state may be drawn again; `undefined` when its state changed, so at once. */
function frameDue(card: Card, rendered: Rendered): number | undefined {
  if (card.deliveredAt === undefined || card.deliveredHash?.split('.')[0] !== rendered.icon) return undefined;
  return nextFrame({
    group: isGroup(card.chat),
    firstAt: card.createdAt.getTime(),
    lastAt: card.deliveredAt.getTime(),
  });
}

const filesPart = (hash: string | undefined): string => hash?.split('.')[2] ?? '';
