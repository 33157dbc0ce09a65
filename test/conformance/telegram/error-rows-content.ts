import { after, BR, type Row, sendHtml, sendWith } from './error-row.ts';
import { ALICE, type Answer, button, FORUM, GROUP, keyboard, png } from './harness.ts';

/** Texts, entities, buttons and files. */
export const contentRows: readonly Row[] = [
  {
    name: 'no text',
    code: 400,
    text: `${BR}message text is empty`,
    from: 'server',
    provoke: (h) => h.call('sendMessage', { chat_id: ALICE, text: '' }),
  },
  {
    name: 'only white space',
    code: 400,
    text: `${BR}message text is empty`,
    from: 'server',
    provoke: sendHtml('<b> \n </b>'),
  },
  {
    name: '4097 characters',
    code: 400,
    text: `${BR}message is too long`,
    from: 'telegram',
    provoke: (h) => h.call('sendMessage', { chat_id: ALICE, text: 'я'.repeat(4097) }),
  },
  {
    name: 'more than 32,768 bytes',
    code: 400,
    text: `${BR}text is too long`,
    from: 'server',
    provoke: sendHtml(`<b>${'&amp;'.repeat(6600)}</b>`),
  },
  {
    name: 'a caption of 1025 characters',
    code: 400,
    text: `${BR}message caption is too long`,
    from: 'telegram',
    provoke: (h) =>
      h.call('sendPhoto', { chat_id: ALICE, photo: png(9, 9), caption: 'x'.repeat(1025) }, { encoding: 'multipart' }),
  },
  {
    name: 'an unknown tag, placed in bytes',
    code: 400,
    text: `${BR}can't parse entities: Unsupported start tag "br" at byte offset 4`,
    from: 'telegram',
    provoke: sendHtml('да<br>'),
  },
  {
    name: 'a tag that is not closed',
    code: 400,
    text: `${BR}can't parse entities: Can't find end tag corresponding to start tag "b"`,
    from: 'telegram',
    provoke: sendHtml('<b>bold'),
  },
  {
    name: 'tags that cross',
    code: 400,
    text: `${BR}can't parse entities: Unmatched end tag at byte offset 7, expected "</i>", found "</b>"`,
    from: 'telegram',
    provoke: sendHtml('<b><i>x</b></i>'),
  },
  ...(
    [
      ['a start tag that does not end', 'x <b', 'Unclosed start tag at byte offset 2'],
      ['an end tag that does not end', '<b>x</b', 'Unclosed end tag at byte offset 4'],
      ['an end tag without a start', 'x</b>', 'Unexpected end tag at byte offset 1'],
      ['an end tag cut off, without a start', 'x</', 'Unexpected end tag at byte offset 1'],
      [
        'a span of another class',
        '<span class="red">x</span>',
        'Tag "span" must have class "tg-spoiler" at byte offset 0',
      ],
      ['an attribute without name', '<a ="x">x</a>', 'Empty attribute name in the tag "a" at byte offset 0'],
      ['an attribute value that does not end', '<a href="x>x</a>', 'Unclosed start tag at byte offset 0'],
      ['a tag that ends with an equal sign', '🏟<i a  =  ', 'Unclosed start tag "i" at byte offset 4'],
      ['a bare value that does not end', '<i a=190az,>x</i>', 'Unexpected end of name token at byte offset 5'],
      ['a less-than sign that is not escaped', 'a < b', 'Unsupported start tag "" at byte offset 2'],
      [
        'half a surrogate pair',
        '&#xDFDF;',
        'Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units',
      ],
    ] as const
  ).map(
    ([name, html, problem]): Row => ({
      name,
      code: 400,
      text: `${BR}can't parse entities: ${problem}`,
      from: 'telegram',
      provoke: sendHtml(html),
    }),
  ),
  {
    name: 'a copy text of 257 characters',
    code: 400,
    text: `${BR}BUTTON_COPY_TEXT_INVALID`,
    from: 'telegram',
    provoke: sendWith(keyboard([{ text: 'x', copy_text: { text: 'x'.repeat(257) } }])),
  },
  {
    name: 'a keyboard that is no grid',
    code: 400,
    text: `${BR}field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays`,
    from: 'server',
    provoke: sendWith({ inline_keyboard: [button('x', 'x')] }),
  },
  {
    name: 'a markup that is no JSON',
    code: 400,
    text: `${BR}can't parse reply markup JSON object`,
    from: 'telegram',
    provoke: (h) => h.call('sendMessage', { chat_id: ALICE, text: 'x', reply_markup: '{' }, { encoding: 'form' }),
  },
  {
    name: 'a link to a name without a dot',
    code: 400,
    text: `${BR}inline keyboard button URL 'http://localhost:3000/' is invalid: Wrong HTTP URL`,
    from: 'telegram',
    provoke: sendWith(keyboard([{ text: 'x', url: 'http://localhost:3000/' }])),
  },
  {
    name: 'an entity that splits a symbol',
    code: 400,
    text: `${BR}entity begins in a middle of a UTF-16 symbol at byte offset 0`,
    from: 'telegram',
    provoke: (h) =>
      h.call('sendMessage', { chat_id: ALICE, text: '🚨x', entities: [{ type: 'bold', offset: 1, length: 2 }] }),
  },
  {
    name: 'an unknown chat action',
    code: 400,
    text: `${BR}wrong parameter action in request`,
    from: 'server',
    provoke: (h) => h.call('sendChatAction', { chat_id: ALICE, action: 'dance' }),
  },
  {
    name: 'a body that is no JSON object',
    code: 400,
    text: `${BR}can't parse request body as a JSON object`,
    from: 'telegram',
    provoke: async (h) => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${h.url}/bot4242:test-token_A/getMe`, { method: 'POST', headers, body: '[1' });
      return { ...((await response.json()) as Answer), status: response.status };
    },
  },
  {
    name: 'an entity beyond the text',
    code: 400,
    text: `${BR}entity beginning at UTF-16 offset 1 ends after the end of the text at UTF-16 offset 9`,
    from: 'telegram',
    provoke: (h) =>
      h.call('sendMessage', { chat_id: ALICE, text: 'abc', entities: [{ type: 'bold', offset: 1, length: 8 }] }),
  },
  {
    name: 'an unknown parse mode',
    code: 400,
    text: `${BR}unsupported parse_mode`,
    from: 'server',
    provoke: (h) => h.call('sendMessage', { chat_id: ALICE, text: 'x', parse_mode: 'bbcode' }),
  },
  {
    name: 'callback data of 65 bytes',
    code: 400,
    text: `${BR}BUTTON_DATA_INVALID`,
    from: 'server',
    // 33 Cyrillic letters are 66 bytes.
    provoke: sendWith(keyboard([button('x', 'ы'.repeat(33))])),
  },
  {
    name: 'a web app button in a group',
    code: 400,
    text: `${BR}BUTTON_TYPE_INVALID`,
    from: 'telegram',
    provoke: sendWith(keyboard([{ text: 'app', web_app: { url: 'https://a.example' } }]), GROUP),
  },
  {
    name: 'a button without action',
    code: 400,
    text: `${BR}can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard`,
    from: 'server',
    provoke: sendWith(keyboard([{ text: 'nothing' }])),
  },
  {
    name: 'a button style that is none',
    code: 400,
    text: `${BR}can't parse inline keyboard button: invalid button style specified`,
    from: 'telegram',
    provoke: sendWith(keyboard([{ text: 'x', callback_data: 'x', style: 'purple' }])),
  },
  {
    name: '101 buttons',
    code: 400,
    text: `${BR}reply markup is too long`,
    from: 'server',
    provoke: sendWith(keyboard(...Array.from({ length: 101 }, (_, i) => [button('x', String(i))]))),
  },
  {
    name: 'a late callback answer',
    code: 400,
    text: `${BR}query is too old and response timeout expired or query ID is invalid`,
    from: 'server',
    provoke: async (h) => {
      await h.send(ALICE, 'x', { reply_markup: keyboard([button('Go', 'go')]) });
      const { callback_query_id } = await h.stage.person('alice').presses('Go');
      await h.clock.advance(20_000);
      return h.call('answerCallbackQuery', { callback_query_id });
    },
  },
  {
    name: 'no right to write',
    code: 400,
    text: `${BR}not enough rights to send text messages to the chat`,
    from: 'telegram',
    provoke: after({ action: 'rights', chat: GROUP, rights: { can_send_messages: false } }),
  },
  {
    name: 'no right to pin',
    code: 400,
    text: `${BR}not enough rights to manage pinned messages in the chat`,
    from: 'telegram',
    provoke: async (h) => {
      const { message_id } = await h.send(GROUP, 'x');
      return after({ action: 'rights', chat: GROUP, rights: { can_pin_messages: false } }, 'pinChatMessage', {
        message_id,
      })(h);
    },
  },
  {
    name: 'no right to create topics',
    code: 400,
    text: `${BR}not enough rights to create a topic`,
    from: 'telegram',
    provoke: after({ action: 'rights', chat: FORUM, rights: { can_manage_topics: false } }, 'createForumTopic', {
      name: 'T',
    }),
  },
  {
    name: 'pinning what is not there',
    code: 400,
    text: `${BR}message to pin not found`,
    from: 'telegram',
    provoke: (h) => h.call('pinChatMessage', { chat_id: GROUP, message_id: 77 }),
  },
  {
    name: 'a photo with width + height over 10,000',
    code: 400,
    text: `${BR}PHOTO_INVALID_DIMENSIONS`,
    from: 'telegram',
    provoke: (h) => h.call('sendPhoto', { chat_id: ALICE, photo: png(6000, 4001) }, { encoding: 'multipart' }),
  },
  {
    name: 'a photo over 10 MB',
    code: 400,
    text: `${BR}file of size 10485761 bytes is too big for a photo; the maximum size is 10485760 bytes`,
    from: 'telegram',
    provoke: (h) =>
      h.call('sendPhoto', { chat_id: ALICE, photo: png(100, 100, 10_485_761) }, { encoding: 'multipart' }),
  },
  {
    name: 'a file that is none',
    code: 400,
    text: `${BR}wrong file identifier/HTTP URL specified`,
    from: 'telegram',
    provoke: (h) => h.call('sendDocument', { chat_id: ALICE, document: 'no-such-file' }),
  },
  {
    name: 'a callback answer of 201 characters',
    code: 400,
    text: `${BR}MESSAGE_TOO_LONG`,
    from: 'server',
    provoke: (h) => h.call('answerCallbackQuery', { callback_query_id: '1', text: 'x'.repeat(201) }),
  },
  {
    name: 'a command name with capitals',
    code: 400,
    text: `${BR}BOT_COMMAND_INVALID`,
    from: 'telegram',
    provoke: (h) => h.call('setMyCommands', { commands: [{ command: 'Backup', description: 'x' }] }),
  },
];
