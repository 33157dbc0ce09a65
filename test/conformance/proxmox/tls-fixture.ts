import { X509Certificate } from 'node:crypto';

/** A self-signed certificate for localhost and 127.0.0.1, made for these tests alone and good until 2126. */
export const cert = `-----BEGIN CERTIFICATE-----
MIIBrDCCAVOgAwIBAgIUDEe2cQ2X22yST4iXdowDxsVyrVMwCgYIKoZIzj0EAwIw
HTEbMBkGA1UEAwwSU2ltdWxhdGVkIFBWRSBob3N0MCAXDTI2MTEyMzE3MzgyNVoY
DzIxMjYxMDMwMTczODI1WjAdMRswGQYDVQQDDBJTaW11bGF0ZWQgUFZFIGhvc3Qw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQjXgTEg2/laTmiDTlyzqNQLYxJ4cZz
6mXGERvyEh8oWsRY26py1AvX/FSoSdNszBTnn1GhZbgT7OSE10gUUPyco28wbTAd
BgNVHQ4EFgQUmB3qwMd0l1cTVs3/qC/NaK5W5S0wHwYDVR0jBBgwFoAUmB3qwMd0
l1cTVs3/qC/NaK5W5S0wDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2Nh
bGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDRwAwRAIfKd7DaKJsoyCuNhQL+tUvKmoP
iGoxk1l8arsRvCy3rwIhAOLiSOhgkrRFeoc9Piq0xX9J2TNG7z5X7dMBbbjFsWNh
-----END CERTIFICATE-----
`;

export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeXK+LTETGdr9ejF7
i6jbtChxhSIYt5Ca/6cRT1CUbyShRANCAAQjXgTEg2/laTmiDTlyzqNQLYxJ4cZz
6mXGERvyEh8oWsRY26py1AvX/FSoSdNszBTnn1GhZbgT7OSE10gUUPyc
-----END PRIVATE KEY-----
`;

export const fingerprint = new X509Certificate(cert).fingerprint256;
