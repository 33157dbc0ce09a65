/** Launchers of the real components; each one waits until it answers, and `stop` leaves nothing behind. */
export { startAlertmanager, type AlertmanagerServer, type PostedAlert } from './alertmanager.ts';
export type { Cluster } from './cluster.ts';
export { type Component, find, missing, need, withComponents } from './detect.ts';
export { type DockerEngine, startDocker } from './docker.ts';
export { startEmbeddedPostgres } from './embedded-postgres.ts';
export { type CertificateName, type CertificateServer, startNginxCerts } from './nginx-certs.ts';
export { type PgBackRest, startPgBackRest } from './pgbackrest.ts';
export { freePort, temporaryFolder } from './place.ts';
export { startPostgres } from './postgres.ts';
export { httpOk, launch, type Launched, must, type Ran, run, tcpOpen, until } from './process.ts';
export { startPrometheus, type PrometheusServer } from './prometheus.ts';
export { cheapenRestic } from './restic-key.ts';
export { startRedis, type RedisServer } from './redis.ts';
export { type S3Server, startS3 } from './s3.ts';
export { startSshd, type SshServer } from './sshd.ts';
