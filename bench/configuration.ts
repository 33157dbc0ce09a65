import { stringify } from 'yaml';

/** The people who type: several, so that no chat's budget is what is measured. */
export const PEOPLE = ['anna', 'boris', 'carol', 'dina'].map((username, n) => ({
  id: 100_000_001 + n,
  username,
  first_name: username,
  language_code: n % 2 === 0 ? 'ru' : 'en',
}));
export const GROUP = -1_001_000_000_001;
export const TELEGRAM_TOKEN = '700000001:benchmark-token-that-is-no-secret';
export const WEBHOOK_TOKEN = 'benchmark-webhook-token';

/** The variables that the configuration refers to. */
export const environment = (databaseUrl: string): Record<string, string> => ({
  BENCH_TELEGRAM_TOKEN: TELEGRAM_TOKEN,
  BENCH_WEBHOOK_TOKEN: WEBHOOK_TOKEN,
  DATABASE_URL: databaseUrl,
  REDIS_URL: '',
});

/** A configuration file for the program under measurement; budgets are the highest that are allowed, unless they are left `asShipped`. */
export function configuration({
  apiRoot = 'http://127.0.0.1:9',
  port = 8080,
  dataDir = 'data',
  asShipped = false,
} = {}): string {
  return stringify({
    site: { name: 'Benchmark', zone: 'Europe/Moscow', language: 'ru' },
    telegram: {
      token: 'env:BENCH_TELEGRAM_TOKEN',
      api_root: apiRoot,
      ...(asShipped
        ? {}
        : { limits: { per_chat_per_second: 100, per_group_per_minute: 1000, overall_per_second: 1000 } }),
    },
    http: { port },
    data_dir: dataDir,
    log: { level: 'warn' },
    operators: PEOPLE.map(({ id, username, language_code: language }) => ({
      id: username,
      name: username,
      telegram_id: id,
      role: 'admin',
      language,
    })),
    chats: [{ id: 'watch', chat_id: GROUP, ...(asShipped ? { language: 'en' } : {}) }],
    // One alert at a time is what is measured, however many of them a benchmark needs.
    ...(asShipped ? {} : { storm: { cards: 100, critical_cards: 100 } }),
    routes: [{ match: { service: 'certificates' }, chat: 'watch' }, { chat: 'watch' }],
    alertmanager: { url: 'http://127.0.0.1:9', webhook_token: 'env:BENCH_WEBHOOK_TOKEN' },
  });
}
