import { existsSync } from 'node:fs';
import { connect as tlsConnect } from 'node:tls';
import pg from 'pg';
import { Client as SshClient } from 'ssh2';
import { describe, expect, it } from 'vitest';
import {
  startAlertmanager,
  startNginxCerts,
  startPgBackRest,
  startPostgres,
  startPrometheus,
  startRedis,
  startSshd,
  tcpOpen,
  until,
  withComponents,
} from '../support/components/index.ts';
import { freshDatabase } from '../support/database.ts';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

describe('the real components that other tests stand on', () => {
  it('gives an empty database, copies a template, and drops both', async () => {
    const empty = await freshDatabase();
    const template = {
      name: 'self_test',
      prepare: async (url: string) => {
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        await client.query('create table t as select 7 as n');
        await client.end();
      },
    };
    const [one, two] = await Promise.all([freshDatabase(template), freshDatabase(template)]);
    expect(one.name).not.toBe(two.name);
    for (const [database, tables] of [
      [empty, 0],
      [one, 1],
      [two, 1],
    ] as const) {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      const { rows } = await client.query("select from information_schema.tables where table_schema = 'public'");
      await client.end();
      expect(rows).toHaveLength(tables);
      await database.drop();
      await expect(new pg.Client({ connectionString: database.url }).connect()).rejects.toThrow('does not exist');
    }
  });

  withComponents(['redis'], () => {
    it('starts Redis, which keeps its data over a crash', async () => {
      const redis = await startRedis({ password: 'for-the-test' });
      expect(new URL(redis.url).port).toBe(String(redis.port));
      await redis.crash();
      expect(await tcpOpen(redis.port)).toBe(false);
      await redis.resume();
      await expect.poll(() => tcpOpen(redis.port)).toBe(true);
      await redis.stop();
      expect(await tcpOpen(redis.port)).toBe(false);
    });
  });

  withComponents(['postgres', 'pgbackrest'], () => {
    it('backs PostgreSQL up with pgBackRest', async () => {
      const postgres = await startPostgres();
      const backrest = await startPgBackRest(postgres, { stanza: 'main' });
      const backup = await backrest.run('--type=full', 'backup');
      expect(backup).toMatchObject({ code: 0 });
      const info = await backrest.run('--output=json', 'info');
      const [stanza] = JSON.parse(info.stdout) as [{ status: { code: number }; cipher: string; backup: unknown[] }];
      expect(stanza).toMatchObject({ cipher: 'aes-256-cbc', status: { code: 0 } });
      expect(stanza.backup).toHaveLength(1);
      expect(backrest.argv.join(' ')).not.toContain(backrest.cipherPass);
      await postgres.stop();
      await backrest.stop();
      expect(existsSync(postgres.dataFolder)).toBe(false);
      expect(existsSync(backrest.repoFolder)).toBe(false);
    });
  });

  withComponents(['prometheus', 'alertmanager'], () => {
    it('carries an alert from Prometheus through Alertmanager to a webhook, with its token', async () => {
      const bodies: unknown[] = [];
      const hook = createServer((request, response) => {
        let text = '';
        request.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        request.on('end', () => {
          bodies.push({ auth: request.headers.authorization, ...(JSON.parse(text) as object) });
          response.end();
        });
      });
      await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
      const port = (hook.address() as AddressInfo).port;
      const alertmanager = await startAlertmanager({ webhookUrl: `http://127.0.0.1:${port}/x`, token: 'tok' });
      const prometheus = await startPrometheus({
        alertmanagerUrl: alertmanager.url,
        rules: [{ groups: [{ name: 'g', rules: [{ alert: 'Always', expr: 'vector(1)' }] }] }],
      });
      await until('the webhook', () => bodies.length > 0, { timeoutMs: 90_000 });
      expect(bodies[0]).toMatchObject({ auth: 'Bearer tok', status: 'firing', groupLabels: { alertname: 'Always' } });
      await prometheus.stop();
      await alertmanager.stop();
      await new Promise((resolve) => hook.close(resolve));
    });
  });

  withComponents(['sshd', 'ssh-keygen'], () => {
    it('lets the key in over SSH and refuses a stranger', async () => {
      const sshd = await startSshd();
      const login = (privateKey: string) =>
        new Promise<string>((resolve, reject) => {
          const client = new SshClient();
          client.on('error', reject).on('ready', () =>
            client.exec('id -un', (error, stream) => {
              if (error) return reject(error);
              stream.on('data', (chunk: Buffer) => {
                client.end();
                resolve(chunk.toString().trim());
              });
            }),
          );
          client.connect({ host: sshd.host, port: sshd.port, username: sshd.user, privateKey });
        });
      await expect(login(sshd.privateKey)).resolves.toBe(sshd.user);
      await expect(login(sshd.strangerKey)).rejects.toMatchObject({ level: 'client-authentication' });
      expect(sshd.hostKeyFingerprint).toMatch(/^SHA256:/);
      await sshd.stop();
    });
  });

  withComponents(['nginx', 'openssl'], () => {
    it('serves certificates with every defect, and renews one', async () => {
      const nginx = await startNginxCerts();
      const shake = (port: number) =>
        new Promise<string>((resolve) => {
          const socket = tlsConnect({ host: '127.0.0.1', port, servername: 'localhost', ca: nginx.root });
          socket.once('secureConnect', () => {
            resolve(socket.getPeerCertificate().valid_to);
            socket.destroy();
          });
          socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
        });
      const daysLeft = async (port: number) => Math.round((Date.parse(await shake(port)) - Date.now()) / 86_400_000);
      const { ports } = nginx;
      expect(await daysLeft(ports.good)).toBe(60);
      expect(await daysLeft(ports.soon)).toBe(5);
      expect(await shake(ports.expired)).toBe('CERT_HAS_EXPIRED');
      expect(await shake(ports.wronghost)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
      expect(await shake(ports.nochain)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
      expect(await shake(ports.selfsigned)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
      expect(await shake(ports.notyet)).toBe('CERT_NOT_YET_VALID');
      await nginx.renew('soon', { toDays: 90 });
      expect(await daysLeft(ports.soon)).toBe(90);
      await nginx.stop();
    });
  });
});
