{{- define "strongroom.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "strongroom.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The component is in the selector too: a pod of the migration Job must get no calls. */}}
{{- define "strongroom.serverSelector" -}}
{{ include "strongroom.selector" . }}
app.kubernetes.io/component: server
{{- end -}}

{{- define "strongroom.labels" -}}
{{ include "strongroom.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "strongroom.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "strongroom.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "strongroom.secret" -}}
{{- default (include "strongroom.fullname" .) .Values.secret.name -}}
{{- end -}}

{{/* Of the migration Job: hooks run before the release's own objects are there, so what the chart makes is made twice. */}}
{{- define "strongroom.migrateSecret" -}}
{{- if .Values.secret.create -}}
{{- printf "%s-migrate" (include "strongroom.fullname" .) -}}
{{- else -}}
{{- include "strongroom.secret" . -}}
{{- end -}}
{{- end -}}

{{- define "strongroom.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The container's part of Pod Security `restricted`, and a root that cannot be written. */}}
{{- define "strongroom.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "strongroom.podSecurity" -}}
runAsNonRoot: true
{{- range $name := list "runAsUser" "runAsGroup" "fsGroup" }}
{{- with index $.Values.podSecurity $name }}
{{ $name }}: {{ int . }}
{{- end }}
{{- end }}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* How and where the server and the migration Job alike run. A value that holds for both belongs in here. */}}
{{- define "strongroom.podPlace" -}}
automountServiceAccountToken: false # neither asks anything of Kubernetes; the server's token for Vault is a volume
enableServiceLinks: false
securityContext:
  {{- include "strongroom.podSecurity" . | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Names of the Secret's keys that the server reads: key, and the setting. */}}
{{- define "strongroom.serverSecrets" -}}
database-url: DATABASE__URL
{{- if eq .Values.vault.auth "approle" }}
vault-role-id: VAULT__ROLE_ID
vault-secret-id: VAULT__SECRET_ID
{{- else if eq .Values.vault.auth "token" }}
vault-token: VAULT__TOKEN
{{- end }}
{{- if .Values.redis.enabled }}
redis-url: REDIS__URL
{{- end }}
{{- end -}}

{{/* What a key is called in the Secret: of its own name and, of one that is there, as secret.keys says. */}}
{{- define "strongroom.secretKey" -}}
{{- $name := camelcase (replace "-" "_" .key) | untitle -}}
{{- ternary .key (index .root.Values.secret.keys $name | default .key) .root.Values.secret.create -}}
{{- end -}}

{{- define "strongroom.grpcProtocol" -}}
{{ ternary "https" "kubernetes.io/h2c" (ne .Values.tls.secret "") }}
{{- end -}}

{{/* A probe of the kubelet, which has no client certificate. */}}
{{- define "strongroom.probe" -}}
{{- $tls := .root.Values.tls -}}
httpGet: {path: {{ .path }}, port: {{ ternary "probes" "http" (ne $tls.clientCaSecret "") }}{{ if $tls.secret }}, scheme: HTTPS{{ end }}}
{{- end -}}

{{/* Authorities whose certificates are mounted: name of the folder, and the Secret. */}}
{{- define "strongroom.authorities" -}}
{{- with .Values.database.caSecret }}
database: {{ . }}
{{- end }}
{{- with .Values.vault.caSecret }}
vault: {{ . }}
{{- end }}
{{- if and .Values.redis.enabled .Values.redis.caSecret }}
redis: {{ .Values.redis.caSecret }}
{{- end }}
{{- with .Values.tls.clientCaSecret }}
clients: {{ . }}
{{- end }}
{{- end -}}

{{/*
While pods are replaced, there are up to maxSurge more than wanted, and as many again that still finish what they have:
minReadySeconds keeps the next one from being replaced before. A worker has one connection more than its pool.
*/}}
{{- define "strongroom.checkConnections" -}}
{{- $pods := int (ternary .Values.autoscaling.maxReplicas .Values.replicas .Values.autoscaling.enabled) -}}
{{- $pods = add $pods (mul 2 (int .Values.rollout.maxSurge)) -}}
{{- $wanted := mul (add1 (int .Values.database.poolSize)) (int .Values.workers) $pods -}}
{{- $free := sub (int .Values.database.maxConnections) (int .Values.database.reservedConnections) -}}
{{- if gt (int $wanted) (int $free) -}}
{{- fail (printf "database: (poolSize %d + 1) x workers %d x %d pods (while they are replaced) are %d connections; maxConnections less reservedConnections leaves %d" (int .Values.database.poolSize) (int .Values.workers) (int $pods) (int $wanted) (int $free)) -}}
{{- end -}}
{{- end -}}

{{/* `tpl`, because a Helm before 3.17 has no fromToml and would refuse the whole chart for its name. */}}
{{- define "strongroom.checkConfig" -}}
{{- if semverCompare ">=3.17.0-0" .Capabilities.HelmVersion.Version -}}
{{- $read := tpl "{{ .Values.config | fromToml | toJson }}" . | fromJson -}}
{{- if hasKey $read "Error" -}}
{{- fail (printf "config is not TOML: %s" $read.Error) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "strongroom.check" -}}
{{- include "strongroom.checkConnections" . -}}
{{- include "strongroom.checkConfig" . -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling: minReplicas is more than maxReplicas" -}}
{{- end -}}
{{- if not (or .Values.tls.secret .Values.tls.allowPlaintext) -}}
{{- fail "tls.secret: without it API keys could be read on the way; tls.allowPlaintext where a mesh encrypts it" -}}
{{- end -}}
{{- if and .Values.tls.clientCaSecret (not .Values.tls.secret) -}}
{{- fail "tls.clientCaSecret needs tls.secret" -}}
{{- end -}}
{{- if and (hasPrefix "http://" .Values.vault.url) (not .Values.vault.allowHttp) -}}
{{- fail "vault.url is http://: data keys could be read on the way there; vault.allowHttp where a mesh encrypts it" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.allowHttp) -}}
{{- if not .Values.ingress.tlsSecret -}}
{{- fail "ingress: without tlsSecret API keys could be read on the way; allowHttp where TLS ends elsewhere" -}}
{{- end -}}
{{- if and .Values.ingress.grpc.enabled (not .Values.ingress.grpc.tlsSecret) -}}
{{- fail "ingress.grpc: without tlsSecret API keys could be read on the way; ingress.allowHttp where TLS ends elsewhere" -}}
{{- end -}}
{{- end -}}
{{- range .Values.ingress.hosts -}}
{{- if and $.Values.ingress.enabled (not $.Values.ingress.allowHttp) (not .tlsSecret) -}}
{{- fail (printf "ingress.hosts: %s without tlsSecret would let API keys be read on the way" .host) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.secret.create .Values.secret.keys -}}
{{- fail "secret.keys is for a Secret that is there: secret.create names them itself" -}}
{{- end -}}
{{- if .Values.gateway.enabled -}}
{{- if not (and .Values.gateway.parentRefs .Values.gateway.hostnames) -}}
{{- fail "gateway.enabled needs gateway.parentRefs and gateway.hostnames" -}}
{{- end -}}
{{- if and .Values.gateway.grpc.enabled (not .Values.gateway.grpc.hostnames) -}}
{{- fail "gateway.grpc.enabled needs gateway.grpc.hostnames" -}}
{{- end -}}
{{- end -}}
{{- if and (has "redis" .Values.health.required) (not .Values.redis.enabled) -}}
{{- fail "health.required has redis, and redis.enabled is false" -}}
{{- end -}}
{{- if .Values.secret.create -}}
{{- range $key, $setting := include "strongroom.serverSecrets" . | fromYaml -}}
{{- $value := camelcase (replace "-" "_" $key) | untitle -}}
{{- if not (index $.Values.secret $value) -}}
{{- fail (printf "secret.create needs secret.%s" $value) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.migration.enabled (not .Values.secret.migrateUrl) -}}
{{- fail "secret.create with migration.enabled needs secret.migrateUrl" -}}
{{- end -}}
{{- end -}}
{{- end -}}
