import { describe, expect, it } from 'vitest';
import { type Doc, doc, line, list, title } from '../../src/core/doc.ts';
import { post } from '../../src/bot/outbox/body.ts';
import { catalogue } from '../../src/core/i18n.ts';
import { allMessages } from '../../src/messages.gen.ts';
import { systemRandom } from '../../src/core/random.ts';
import { card as findCard } from '../../src/store/cards.ts';
import { enqueue } from '../../src/store/outbox.ts';
import { purgePictures } from '../../src/store/pictures.ts';
import { isDone, OPS, openSenders, type Senders } from './support/senders.ts';

const pictured = (id: string, text: string, alt = 'CPU 97 %'): Doc => ({
  ...doc(title('critical', text)),
  picture: { id, alt },
});
const long = (id: string): Doc => ({
  ...doc(title('critical', 'long'), list(Array.from({ length: 60 }, (_, n) => `machine number ${n} is down`))),
  picture: { id, alt: 'CPU 97 %' },
});
const methods = (senders: Senders) =>
  senders.telegram.state.calls.filter((call) => call.chat_id === OPS).map(({ method }) => method);

async function shows(senders: Senders, what: Doc): Promise<void> {
  senders.draws('7', what);
  await senders.touch('7');
  await senders.until(() => isDone(senders));
}

describe('a card with a picture', () => {
  it('is a photo with a caption; the text changes without sending the picture again, another picture takes its place', async () => {
    const senders = await openSenders();
    senders.sender();
    const first = await senders.picture(1280, 720);
    senders.draws('7', pictured(first, 'high'));
    await senders.want('7');
    await senders.until(() => isDone(senders));
    expect(senders.messages()).toMatchObject([
      { caption: '🔴 CRITICAL · high', photo: [{ width: 1280, height: 720 }], caption_entities: [{ type: 'bold' }] },
    ]);
    await shows(senders, pictured(first, 'higher'));
    await shows(senders, pictured(await senders.picture(1300, 700), 'highest'));
    expect(senders.messages()).toMatchObject([{ caption: '🔴 CRITICAL · highest', photo: [{ width: 1300 }] }]);
    expect(methods(senders)).toEqual(['sendPhoto', 'editMessageCaption', 'editMessageMedia']);
    // Nothing new to be seen: nothing is called.
    await senders.touch('7');
    await senders.until(() => isDone(senders));
    expect(methods(senders)).toHaveLength(3);
  });

  it('was text and becomes a picture by an edit; as text again it is a new message, and the picture goes', async () => {
    const senders = await openSenders();
    senders.sender();
    senders.draws('7', 'text');
    const { id } = await senders.want('7');
    await senders.until(() => isDone(senders));
    const [{ message_id } = { message_id: 0 }] = senders.messages();
    await shows(senders, pictured(await senders.picture(), 'graph'));
    expect(senders.messages()).toMatchObject([{ message_id, caption: '🔴 CRITICAL · graph', photo: [{}] }]);
    await shows(senders, doc(title('critical', 'text again')));
    expect(senders.lines()).toEqual(['🔴 CRITICAL · text again']);
    expect((await findCard(senders.store.db, id))?.messageId).toBe(senders.messages()[0]?.message_id);
    await shows(senders, doc(title('critical', 'and again')));
    expect(senders.lines()).toEqual(['🔴 CRITICAL · and again']);
    expect(methods(senders)).toEqual([
      'sendMessage',
      'editMessageMedia',
      'sendMessage',
      'deleteMessage',
      'editMessageText',
    ]);
  });

  it('with more text than a caption holds stays text, and the picture comes under it, once', async () => {
    const senders = await openSenders();
    senders.sender();
    const id = await senders.picture();
    senders.draws('7', long(id));
    await senders.want('7');
    await senders.until(() => isDone(senders));
    const [text, photo] = senders.messages();
    expect(text?.text).toContain('machine number 59');
    expect(photo).toMatchObject({
      caption: 'CPU 97 %',
      photo: [{}],
      reply_to_message: { message_id: text?.message_id },
    });
    await shows(senders, { ...long(id), blocks: [...long(id).blocks, line('one more')] });
    expect(senders.messages()).toHaveLength(2);
    expect(senders.messages()[0]?.text).toContain('one more');
  });

  it('that is a photo already keeps to a caption; the whole text comes as a file', async () => {
    const senders = await openSenders();
    senders.sender();
    const id = await senders.picture();
    senders.draws('7', pictured(id, 'short'));
    await senders.want('7');
    await senders.until(() => isDone(senders));
    await shows(senders, long(id));
    const [photo, file] = senders.messages();
    expect(photo?.caption).toContain('Shortened; everything is in the file message.txt');
    expect(file?.document?.file_name).toBe('message.txt');
  });

  it.each([
    ['that Telegram refuses', async (senders: Senders) => senders.picture(9000, 100)],
    [
      'that was purged',
      async (senders: Senders) => {
        const id = await senders.picture();
        await purgePictures(senders.store.db, new Date(senders.clock.now().getTime() + 1));
        return id;
      },
    ],
    ['that is none', () => Promise.resolve('00000000-0000-4000-8000-000000000000')],
  ])('%s comes as text that says so', async (_, make) => {
    const senders = await openSenders();
    senders.sender();
    senders.draws('7', pictured(await make(senders), 'high'));
    await senders.want('7');
    await senders.until(() => isDone(senders));
    expect(senders.messages()).toHaveLength(1);
    expect(senders.messages()[0]?.text).toBe('🔴 CRITICAL · high\nThe picture cannot be shown: CPU 97 %');
    await shows(senders, pictured(await senders.picture(), 'higher'));
    expect(senders.messages()).toMatchObject([{ caption: '🔴 CRITICAL · higher', photo: [{}] }]);
  });

  it('whose message was deleted comes again, as a photo', async () => {
    const senders = await openSenders();
    senders.sender();
    const id = await senders.picture();
    senders.draws('7', pictured(id, 'high'));
    await senders.want('7');
    await senders.until(() => isDone(senders));
    const message = senders.messages()[0]?.message_id ?? 0;
    await senders.telegram.cast.admin({ action: 'delete_message', chat: OPS, message_id: message });
    await shows(senders, pictured(id, 'higher'));
    expect(senders.messages()).toMatchObject([{ caption: '🔴 CRITICAL · higher', photo: [{}] }]);
  });
});

describe('a message with a picture', () => {
  const { for: speak } = catalogue(allMessages);
  const send = (senders: Senders, what: Doc) =>
    post(senders.store.db, systemRandom, {
      chat: OPS,
      doc: what,
      reader: { t: speak('en'), zone: 'UTC', now: senders.clock.now() },
      priority: 1,
    });

  it('is a photo with a caption', async () => {
    const senders = await openSenders();
    senders.sender();
    await send(senders, pictured(await senders.picture(), 'graph'));
    await senders.until(() => isDone(senders));
    expect(senders.messages()).toMatchObject([{ caption: '🔴 CRITICAL · graph', photo: [{}] }]);
  });

  it('with a long text is the text first, and the photo in reply', async () => {
    const senders = await openSenders();
    senders.sender();
    await send(senders, long(await senders.picture()));
    await senders.until(() => isDone(senders));
    const [text, photo] = senders.messages();
    expect(text?.text).toContain('machine number 59');
    expect(photo).toMatchObject({ photo: [{}], reply_to_message: { message_id: text?.message_id } });
  });

  it('that Telegram refuses comes as text that says so', async () => {
    const senders = await openSenders();
    senders.sender();
    await send(senders, pictured(await senders.picture(9000, 100), 'graph'));
    await senders.until(() => isDone(senders));
    expect(senders.messages()).toHaveLength(1);
    expect(senders.messages()[0]?.text).toContain('The picture cannot be shown: CPU 97 %');
  });

  it('loses its buttons by an edit of the caption', async () => {
    const senders = await openSenders();
    senders.sender();
    await send(senders, {
      ...pictured(await senders.picture(), 'graph'),
      buttons: [[{ kind: 'press', label: 'Close', press: { kind: 'view', view: '' } }]],
    });
    await senders.until(() => isDone(senders));
    const [photo] = senders.messages();
    expect(photo?.reply_markup?.inline_keyboard).toHaveLength(1);
    const text = 'closed';
    const body = {
      text,
      plain: text,
      entities: [],
      keyboard: [],
      files: [],
      edits: photo?.message_id,
      isCaption: true,
    };
    await enqueue(senders.store.db, { chat: OPS, priority: 1, kind: 'message', body }, senders.clock.now());
    await senders.until(() => isDone(senders));
    expect(senders.messages()).toMatchObject([{ caption: 'closed', photo: [{}] }]);
    expect(senders.messages()[0]).not.toHaveProperty('reply_markup');
  });
});
