import { cp, readdir, readFile } from 'node:fs/promises';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { createMetrics } from '../../src/app/metrics.ts';
import { parseConfig } from '../../src/config/load.ts';
import { RUN_STATES } from '../../src/core/run.ts';
import { need, run, temporaryFolder, withComponents } from '../support/components/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const at = (path: string) => join(root, path);
const readYaml = <T>(path: string): T => parse(readFileSync(at(path), 'utf8'), { merge: true }) as T;

interface Rule {
  alert: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}
const ruleFiles = readdirSync(at('config/alert-rules')).filter((name) => name.endsWith('.yml'));
const rules = ruleFiles.flatMap((file) =>
  readYaml<{ groups: { rules: Rule[] }[] }>(`config/alert-rules/${file}`).groups.flatMap((group) => group.rules),
);

/** Alerts that the program makes itself, without a rule, and their runbooks. */
const OWN_ALERTS: Readonly<Record<string, string>> = {
  WatchdogMissing: 'watchdog-missing',
  ProbeFailed: 'probe-failed',
  VakhtaDrill: 'vakhta-drill',
  RestoreDrillFailed: 'restore-drill-failed',
  ScratchLeftOver: 'scratch-left-over',
};

describe('alert rules', () => {
  it('have a severity that Vakhta knows, a summary, a description, and names that differ', () => {
    const incomplete = rules.filter(
      ({ labels, annotations }) =>
        !['critical', 'warning', 'info'].includes(labels?.severity ?? '') ||
        !annotations?.summary ||
        !annotations.description ||
        !annotations.runbook,
    );
    expect(incomplete.map((rule) => rule.alert)).toEqual([]);
    expect(new Set(rules.map((rule) => rule.alert)).size).toBe(rules.length);
  });

  it.each(['en', 'ru'])('have a runbook each in %s, and no runbook is without a rule', async (language) => {
    const folder = at(`docs/runbooks/${language}`);
    const files = (await readdir(folder)).filter(
      (name) => name.endsWith('.md') && !/^(?:README|dr-.*)\.md$/.test(name),
    );
    const documented = [
      ...rules,
      ...Object.entries(OWN_ALERTS).map(([alert, runbook]) => ({ alert, annotations: { runbook } })),
    ];
    const slugs = documented.map((rule) => rule.annotations?.runbook ?? '');
    expect(files.toSorted()).toEqual(slugs.map((slug) => `${slug}.md`).toSorted());
    const poor = documented.filter(({ alert, annotations }) => {
      const text = readFileSync(join(folder, `${annotations?.runbook}.md`), 'utf8');
      return !text.startsWith(`# ${alert}: `) || text.match(/^## /gm)?.length !== 4;
    });
    expect(poor.map((rule) => rule.alert)).toEqual([]);
  });

  it('are each tested, firing and silent', () => {
    const tested = ruleFiles.map((name) =>
      readFileSync(at(`config/alert-rules/tests/${name.replace('.yml', '.test.yml')}`), 'utf8'),
    );
    const names = tested.flatMap((text) =>
      [...text.matchAll(/- name: (\w+ (?:fires|stays silent))$/gm)].map(([, name]) => name),
    );
    // The Watchdog is the one that never stays silent.
    const wanted = rules.flatMap(({ alert }) =>
      alert === 'Watchdog' ? [`${alert} fires`] : [`${alert} fires`, `${alert} stays silent`],
    );
    expect(new Set(names)).toEqual(new Set(wanted));
    expect(names).toHaveLength(wanted.length);
  });

  it('name only those metrics of Vakhta, and of its labels, that the program has', async () => {
    const metrics = createMetrics('0', () => Promise.resolve(undefined));
    const { text } = await metrics.scrape();
    const known = new Set([...text.matchAll(/^# TYPE (vakhta_\w+) /gm)].map(([, name]) => name));
    const dashboard = readFileSync(at('config/grafana/dashboards/overview.json'), 'utf8');
    const named = [...rules.map(({ expr }) => expr), dashboard].flatMap((one) => one.match(/\bvakhta_\w+/g) ?? []);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
    const states = rules.flatMap(({ expr }) =>
      [...expr.matchAll(/vakhta_runs_open\{state="(\w+)"\}/g)].map(([, state]) => state),
    );
    expect(states.filter((state) => !RUN_STATES.some((one) => one === state))).toEqual([]);
  });

  withComponents(['promtool'], () => {
    it('pass promtool check rules', async () => {
      const checked = await run([
        need('promtool'),
        'check',
        'rules',
        ...ruleFiles.map((name) => at(`config/alert-rules/${name}`)),
      ]);
      expect(checked).toMatchObject({ code: 0 });
    });

    it('pass their own unit tests', async () => {
      const folder = at('config/alert-rules/tests');
      const files = (await readdir(folder)).map((name) => join(folder, name));
      expect(files).toHaveLength(ruleFiles.length);
      const tested = await run([need('promtool'), 'test', 'rules', ...files]);
      expect(tested).toMatchObject({ code: 0 });
    });

    it('are loaded by the Prometheus configuration as compose mounts it', async () => {
      const folder = await temporaryFolder();
      onTestFinished(folder.remove);
      await cp(at('config/prometheus'), folder.path, { recursive: true });
      await cp(at('config/alert-rules'), join(folder.path, 'rules'), { recursive: true });
      const checked = await run([need('promtool'), 'check', 'config', join(folder.path, 'prometheus.yml')]);
      expect(checked).toMatchObject({ code: 0 });
      expect(checked.stdout + checked.stderr).toContain(`${ruleFiles.length} rule files found`);
      expect(checked.stdout + checked.stderr).not.toContain('WARNING');
    });
  });
});

describe('Alertmanager configuration', () => {
  interface Alertmanager {
    receivers: {
      name: string;
      webhook_configs?: { url: string; max_alerts: number; http_config: { authorization: object } }[];
    }[];
  }
  const config = readYaml<Alertmanager>('config/alertmanager/alertmanager.yml');

  it('sends whole groups to Vakhta with a token from a secret file', () => {
    const [hook] = config.receivers.find(({ name }) => name === 'vakhta')?.webhook_configs ?? [];
    expect(hook).toMatchObject({ url: 'http://bot:8080/webhooks/alertmanager', send_resolved: true, max_alerts: 0 });
    expect(hook?.http_config.authorization).toEqual({
      type: 'Bearer',
      credentials_file: '/run/secrets/alertmanager_webhook_token',
    });
  });

  withComponents(['amtool'], () => {
    const routed = async (...labels: string[]) =>
      (
        await run([
          need('amtool'),
          'config',
          'routes',
          'test',
          `--config.file=${at('config/alertmanager/alertmanager.yml')}`,
          ...labels,
        ])
      ).stdout.trim();

    it('passes amtool and routes everything to Vakhta, the Watchdog to the outside too', async () => {
      const checked = await run([need('amtool'), 'check-config', at('config/alertmanager/alertmanager.yml')]);
      expect(checked).toMatchObject({ code: 0 });
      expect(await routed('alertname=HostDown', 'severity=critical')).toBe('vakhta');
      expect(await routed('alertname=Watchdog', 'severity=info')).toBe('vakhta,deadman');
      expect(await routed('alertname=VakhtaDrill', 'severity=info', 'drill=1')).toBe('vakhta');
    });
  });
});

interface Service {
  image?: string;
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  init?: boolean;
  secrets?: string[];
  volumes?: (string | { source: string; read_only?: boolean; target: string })[];
  ports?: string[];
  networks?: string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test?: unknown; disable?: boolean };
  profiles?: string[];
}
interface Compose {
  services: Record<string, Service>;
  secrets: Record<string, { file: string }>;
  volumes: Record<string, unknown>;
  networks: Record<string, unknown>;
}

describe('docker-compose.yml', () => {
  const compose = readYaml<Compose>('docker-compose.yml');
  const services = Object.entries(compose.services);
  const own = ['migrate', 'bot', 'worker'];
  /** Made by scripts/secrets.sh and by the operator; everything else must be in the repository. */
  const made = (path: string) => path === './config/vakhta.yaml' || path.startsWith('./secrets/');

  it.each(services)(
    '%s: image pinned, hardened, and every mount, secret, network and dependency exists',
    (name, service) => {
      expect(service.image).toMatch(/:v?\d+\.\d+[\w.-]*$/);
      expect(service).toMatchObject({
        read_only: true,
        init: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
      // cAdvisor reads files of root, and has no other way.
      expect(service.user ?? 'root', 'runs as root').toMatch(name === 'cadvisor' ? /^root$/ : /^(?!root$|0\b)./);
      const known = (names: readonly string[] | undefined, all: object) => names?.filter((one) => !(one in all)) ?? [];
      expect(known(service.secrets, compose.secrets)).toEqual([]);
      expect(known(service.networks, compose.networks)).toEqual([]);
      expect(known(Object.keys(service.depends_on ?? {}), compose.services)).toEqual([]);
      expect(service.volumes?.flatMap(mountProblems) ?? []).toEqual([]);
      expect(service.ports?.filter((port) => !port.startsWith('127.0.0.1:')) ?? [], 'open to the network').toEqual([]);
      // A password in the environment shows in `docker inspect`; only files may hold one.
      const named = Object.entries(service.environment ?? {}).filter(([key]) => /PASS|TOKEN|SECRET/i.test(key));
      expect(named.filter(([, value]) => !value.startsWith('/run/secrets/'))).toEqual([]);
    },
  );

  const mountProblems = (volume: NonNullable<Service['volumes']>[number]): string[] => {
    const [source = '', , mode] =
      typeof volume === 'string' ? volume.split(':') : [volume.source, '', volume.read_only ? 'ro' : ''];
    if (/^[a-z]/.test(source)) return source in compose.volumes ? [] : [`no volume ${source}`];
    const writable = mode === 'ro' ? [] : [`${source} is writable`];
    return source.startsWith('.') && !made(source) && !existsSync(at(source))
      ? [...writable, `no ${source}`]
      : writable;
  };

  it('gives the bot no credential of the infrastructure, and the worker no token of the bot', () => {
    expect(compose.services.bot?.secrets?.toSorted()).toEqual([
      'alertmanager_webhook_token',
      'database_url',
      'redis_url',
      'telegram_token',
    ]);
    expect(compose.services.worker?.secrets).not.toContain('telegram_token');
  });

  it('waits for a healthy database and queue, and migrates first', () => {
    for (const name of ['bot', 'worker']) {
      expect(compose.services[name]?.depends_on).toEqual({
        migrate: { condition: 'service_completed_successfully' },
        redis: { condition: 'service_healthy' },
      });
    }
    expect(compose.services.migrate?.depends_on).toEqual({
      postgres: { condition: 'service_healthy' },
      redis: { condition: 'service_healthy' },
    });
    expect(own.filter((name) => compose.services[name]?.user !== 'node')).toEqual([]);
  });

  it('starts with five services, the rest behind profiles', () => {
    const plain = services.filter(([, service]) => service.profiles === undefined).map(([name]) => name);
    expect(plain.toSorted()).toEqual(['bot', 'migrate', 'postgres', 'redis', 'worker']);
  });

  it('has all its secrets made by scripts/secrets.sh, which changes nothing the second time', async () => {
    const folder = await temporaryFolder();
    onTestFinished(folder.remove);
    const secrets = join(folder.path, 'secrets');
    expect(await run(['sh', at('scripts/secrets.sh'), secrets])).toMatchObject({ code: 0 });
    const files = readdirSync(secrets).toSorted();
    expect(readFileSync(join(secrets, 'totp_owner'), 'utf8')).toMatch(/^[A-Z2-7]{32}$/);
    expect(files).toEqual(
      Object.values(compose.secrets)
        .map(({ file }) => file.replace('./secrets/', ''))
        .toSorted(),
    );
    expect(statSync(secrets).mode & 0o777).toBe(0o700);
    const contents = () => files.map((name) => readFileSync(join(secrets, name), 'utf8'));
    const before = contents();
    await run(['sh', at('scripts/secrets.sh'), secrets]);
    expect(contents()).toEqual(before);
    const [url, password] = ['database_url', 'postgres_password'].map((name) =>
      readFileSync(join(secrets, name), 'utf8'),
    );
    expect(new URL(url ?? '').password).toBe(password);
    expect(password).toMatch(/^[0-9a-f]{48}$/);
  });

  it('goes with a configuration that the program accepts', () => {
    const file = 'config/vakhta.compose.yaml';
    const loaded = parseConfig(readFileSync(at(file), 'utf8'), file, {});
    expect(loaded.problems).toEqual([]);
    expect(loaded).toMatchObject({ ok: true, config: { http: { host: '0.0.0.0', port: 8080 } } });
  });
});

describe('the other configuration files', () => {
  it('are YAML and JSON without an error', async () => {
    const files = (await readdir(at('config'), { recursive: true })).filter((name) => /\.ya?ml$/.test(name));
    expect(files.length).toBeGreaterThan(20);
    const broken: string[] = [];
    for (const file of files) {
      const documents = [parseAllDocuments(await readFile(at(`config/${file}`), 'utf8'))].flat();
      broken.push(...documents.flatMap(({ errors }) => errors.map((error) => `${file}: ${error.message}`)));
    }
    expect(broken).toEqual([]);
  });

  it('give Grafana a dashboard whose data source is provisioned and whose panels do not share an id', () => {
    const dashboard = JSON.parse(readFileSync(at('config/grafana/dashboards/overview.json'), 'utf8')) as {
      panels: { id: number; datasource?: { uid: string } }[];
    };
    const sources = readYaml<{ datasources: { uid: string }[] }>(
      'config/grafana/provisioning/datasources/prometheus.yml',
    );
    const uids = sources.datasources.map(({ uid }) => uid);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const used = dashboard.panels.flatMap(({ datasource }) => (datasource ? [datasource.uid] : []));
    expect(used.length).toBeGreaterThan(10);
    expect(used.filter((uid) => !uids.includes(uid))).toEqual([]);
  });

  it('let the worker read secrets and write none', () => {
    const policy = readFileSync(at('config/vault/policies/vakhta-worker.hcl'), 'utf8');
    const granted = [...policy.matchAll(/path "([^"]+)" \{\s*capabilities = \[([^\]]*)\]/g)].map(([, path, list]) => [
      path,
      list,
    ]);
    expect(granted.length).toBeGreaterThan(4);
    expect(granted.filter(([path]) => /revoke|^sys\/seal$|policies|^\*$/.test(path ?? ''))).toEqual([]);
    const secrets = granted.filter(([path]) => path?.startsWith('secret/'));
    expect(secrets.filter(([, list]) => /create|update|delete|sudo/.test(list ?? ''))).toEqual([]);
    expect(secrets.filter(([path, list]) => path?.startsWith('secret/data/') && list !== '"read"')).toEqual([]);
  });
});
