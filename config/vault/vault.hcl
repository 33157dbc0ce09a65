# OpenBao (or Vault) of the compose profile `vault`: integrated storage on one node. TLS ends here when you put certificates into
# /openbao/tls; inside the compose network the listener is plain, and it is not published.
ui            = false
disable_mlock = true
api_addr      = "http://vault:8200"
cluster_addr  = "http://vault:8201"

storage "raft" {
  path    = "/openbao/file"
  node_id = "vault-1"
}

listener "tcp" {
  address         = "0.0.0.0:8200"
  cluster_address = "0.0.0.0:8201"
  tls_disable     = true

  # /v1/sys/metrics without a token, for Prometheus.
  telemetry {
    unauthenticated_metrics_access = true
  }
}

telemetry {
  prometheus_retention_time = "12h"
  disable_hostname          = true
}

# Every request is recorded, with values hashed, in the container's log. A blocked audit device stops the server: keep it simple.
audit "file" "to-stdout" {
  description = "the container's log"
  options {
    file_path = "stdout"
  }
}
