import { expect, test } from 'vitest';
import { resultProblems } from './api-description.ts';
import { ALICE, GROUP, png, type SentMessage, withSimulator } from './harness.ts';

test('photos and documents: uploaded, seen, sent again by id, downloaded', () =>
  withSimulator(async (h) => {
    const photo = await h.ok(
      'sendPhoto',
      { chat_id: ALICE, photo: png(1280, 720), caption: '<b>CPU</b>', parse_mode: 'HTML' },
      { encoding: 'multipart' },
    );
    expect(photo).toMatchObject({
      caption: 'CPU',
      caption_entities: [{ type: 'bold', offset: 0, length: 3 }],
      photo: [{ width: 1280, height: 720 }],
    });
    const file = new File(['line 1\nline 2\n'], 'журнал.log', { type: 'text/plain' });
    const sent = await h.ok<SentMessage & { document: { file_id: string } }>(
      'sendDocument',
      { chat_id: GROUP, document: file },
      { encoding: 'multipart' },
    );
    expect(sent.document).toMatchObject({ file_name: 'журнал.log', mime_type: 'text/plain', file_size: 14 });
    const { file_id } = sent.document;
    expect(await h.ok('sendDocument', { chat_id: ALICE, document: file_id })).toMatchObject({ document: { file_id } });
    const { file_path } = await h.ok<{ file_path: string }>('getFile', { file_id });
    expect(await (await fetch(`${h.url}/file/bot4242:test-token_A/${file_path}`)).text()).toBe('line 1\nline 2\n');
    expect((await fetch(`${h.url}/file/bot4242:wrong/${file_path}`)).status).toBe(401);
    const caption = await h.ok('editMessageCaption', { chat_id: ALICE, message_id: photo.message_id, caption: 'RAM' });
    expect(caption).toMatchObject({ caption: 'RAM', photo: [{ width: 1280 }] });
    expect(caption).not.toHaveProperty('caption_entities');
  }));

test('photos: JPEG sizes are read; a document is not a photo; nothing is fetched from outside', () =>
  withSimulator(async (h) => {
    const jpeg = Buffer.from(
      'ffd8ffe000104a46494600010100000100010000ffc0001108021c03c003012200021101031101ffd9',
      'hex',
    );
    const photo = new File([jpeg], 'a.jpg', { type: 'image/jpeg' });
    const send = (value: unknown, method = 'sendPhoto') =>
      h.call(
        method,
        { chat_id: ALICE, [method === 'sendPhoto' ? 'photo' : 'document']: value },
        { encoding: 'multipart' },
      );
    expect((await send(photo)).result).toMatchObject({ photo: [{ width: 960, height: 540 }] });
    expect((await send(new File(['text'], 'a.png'))).description).toBe('Bad Request: IMAGE_PROCESS_FAILED');
    expect((await send(png(2100, 100))).description).toBe('Bad Request: PHOTO_INVALID_DIMENSIONS');
    expect((await send(new File([], 'a.log'), 'sendDocument')).description).toBe('Bad Request: file must be non-empty');
    expect((await send('', 'sendDocument')).description).toBe('Bad Request: there is no document in the request');
    expect((await send('https://example.org/a.png')).description).toBe('Bad Request: failed to get HTTP URL content');
    const log = (await send(new File(['text'], 'a.log'), 'sendDocument')).result as { document: { file_id: string } };
    expect((await send(log.document.file_id)).description).toBe(
      "Bad Request: can't use file of type Document as Photo",
    );
  }));

test('albums: 2 to 10 of one kind, each item a message with its own caption', () =>
  withSimulator(async (h) => {
    const item = (name: string, more: object = {}) => ({ type: 'photo', media: `attach://${name}`, ...more });
    const album = (media: unknown[], files: Record<string, File> = { a: png(10, 10), b: png(20, 20) }) =>
      h.call('sendMediaGroup', { chat_id: GROUP, media, ...files }, { encoding: 'multipart' });
    const sent = await album([item('a', { caption: '<b>CPU</b>', parse_mode: 'HTML' }), item('b')]);
    expect(resultProblems('sendMediaGroup', sent.result)).toEqual([]);
    const messages = sent.result as (SentMessage & { media_group_id: string })[];
    expect(messages).toMatchObject([{ caption: 'CPU', photo: [{ width: 10 }] }, { photo: [{ width: 20 }] }]);
    expect(messages[0]!.media_group_id).toBe(messages[1]!.media_group_id);
    expect((await album([item('a')])).status).toBe(400);
    expect((await album(Array.from({ length: 11 }, () => item('a')))).description).toBe(
      'Bad Request: too many messages to send as an album',
    );
    expect((await album([item('a'), { type: 'document', media: 'attach://b' }])).description).toBe(
      "Bad Request: document can't be mixed with other media types",
    );
    expect(h.sim.state.messages(GROUP)).toHaveLength(2);
  }));

test('an edit makes a text a picture and a picture another one, but never a picture a text', () =>
  withSimulator(async (h) => {
    const { message_id } = await h.ok<SentMessage>('sendMessage', { chat_id: GROUP, text: 'CPU' });
    const edit = (file: File, more: object = {}) =>
      h.call(
        'editMessageMedia',
        { chat_id: GROUP, message_id, media: { type: 'photo', media: 'attach://p', ...more }, p: file },
        { encoding: 'multipart' },
      );
    const first = await edit(png(1280, 720), { caption: '<b>CPU</b>', parse_mode: 'HTML' });
    expect(resultProblems('editMessageMedia', first.result)).toEqual([]);
    expect(first.result).toMatchObject({
      message_id,
      photo: [{ width: 1280, height: 720 }],
      caption: 'CPU',
      caption_entities: [{ type: 'bold' }],
    });
    expect(first.result).not.toHaveProperty('text');
    const second = await edit(png(640, 480));
    expect(second.result).toMatchObject({ message_id, photo: [{ width: 640 }] });
    expect(second.result).not.toHaveProperty('caption');
    expect(await h.call('editMessageCaption', { chat_id: GROUP, message_id, caption: 'RAM' })).toMatchObject({
      status: 200,
    });
    expect((await h.call('editMessageText', { chat_id: GROUP, message_id, text: 'CPU' })).description).toBe(
      'Bad Request: there is no text in the message to edit',
    );
    expect((await edit(png(2100, 100))).description).toBe('Bad Request: PHOTO_INVALID_DIMENSIONS');
    expect((await edit(png(9, 9), { caption: 'x'.repeat(1025) })).description).toBe(
      'Bad Request: message caption is too long',
    );
    expect((await edit(png(9, 9), { type: 'sticker' })).status).toBe(400);
    expect(h.sim.state.messages(GROUP)).toHaveLength(1);
  }));
