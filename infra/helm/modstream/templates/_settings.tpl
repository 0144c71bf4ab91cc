{{/* modstream's settings: from values to environment variables. */}}

{{/* A value as modstream's environment has it. Helm reads every number as a float: a large one must not become 6e+08. */}}
{{- define "modstream.text" -}}
{{- if kindIs "slice" . -}}
{{- $items := list -}}
{{- range . -}}{{- $items = append $items (include "modstream.text" .) -}}{{- end -}}
{{- join "," $items -}}
{{- else if kindIs "map" . -}}
{{- toJson . -}}
{{- else if and (kindIs "float64" .) (eq . (floor .)) -}}
{{- printf "%.0f" . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{/* A map of dotted names to values as a list of environment variables; what is null or empty is not set. */}}
{{- define "modstream.env" -}}
{{- range $name, $value := . }}
{{- $text := "" }}
{{- if not (kindIs "invalid" $value) }}{{- $text = include "modstream.text" $value }}{{- end }}
{{- if $text }}
- name: MODSTREAM_{{ $name | upper | replace "." "__" }}
  value: {{ $text | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What every process needs to reach Kafka. */}}
{{- define "modstream.connection" -}}
{{- $security := .Values.kafka.security -}}
{{- $tls := $security.tls -}}
kafka.bootstrap_servers: {{ .Values.kafka.bootstrapServers | quote }}
kafka.security.protocol: {{ $security.protocol }}
kafka.security.sasl_mechanism: {{ $security.saslMechanism | quote }}
{{- if $tls.secret }}
kafka.security.ca_file: /etc/modstream/kafka/{{ $tls.caKey }}
{{- if $tls.certKey }}
kafka.security.cert_file: /etc/modstream/kafka/{{ $tls.certKey }}
kafka.security.key_file: /etc/modstream/kafka/{{ $tls.keyKey }}
{{- end }}
{{- end }}
group: {{ .Values.group | quote }}
topics.prefix: {{ .Values.topics.prefix | quote }}
topics.partitions: {{ .Values.topics.partitions }}
topics.replication: {{ .Values.topics.replication }}
state_dir: /var/lib/modstream
{{- end -}}

{{/* (root, prefixes): those of the settings of all that a process which is no worker has use for. */}}
{{- define "modstream.settingsOf" -}}
{{- $found := dict -}}
{{- range $name, $value := .root.Values.settings -}}
{{- range $prefix := $.prefixes -}}
{{- if hasPrefix $prefix $name -}}{{- $_ := set $found $name $value -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{- define "modstream.storeUrl" -}}
{{- if include "modstream.storeClaim" . -}}/var/lib/modstream-store{{- else -}}{{ .Values.store.url }}{{- end -}}
{{- end -}}

{{- define "modstream.storeClaim" -}}
{{- if .Values.store.claim.name -}}
{{ .Values.store.claim.name }}
{{- else if .Values.store.claim.create -}}
{{ include "modstream.fullname" . }}-store
{{- end -}}
{{- end -}}

{{/* (root, segment): the settings of a segment's workers. */}}
{{- define "modstream.workerSettings" -}}
{{- $values := .root.Values -}}
{{- $segment := .segment -}}
{{- $cores := include "modstream.cores" (dig "limits" "cpu" "" $segment.resources) | int -}}
{{- $computed := dict -}}
{{- if $cores -}}
{{- /* A container's quota of cores is nothing that a process sees when it counts them. */ -}}
{{- $computed = dict "worker.cpu_threads" $cores "media.decoders" $cores -}}
{{- end -}}
{{- $own := include "modstream.connection" .root | fromYaml -}}
{{- $_ := set $own "store.url" (include "modstream.storeUrl" .root) -}}
{{- $_ := set $own "pack" $values.pack -}}
{{- $_ := set $own "policy" $values.policy -}}
{{- $_ := set $own "shadow.pack" $values.shadow.pack -}}
{{- $_ := set $own "shadow.policy" $values.shadow.policy -}}
{{- $_ := set $own "canary.pack" $values.canary.pack -}}
{{- $_ := set $own "canary.policy" $values.canary.policy -}}
{{- if or $values.canary.pack $values.canary.policy -}}
{{- $_ := set $own "canary.share" $values.canary.share -}}
{{- end -}}
{{- $_ := set $own "tracing.otlp_endpoint" $values.tracing.otlpEndpoint -}}
{{- $_ := set $own "worker.lanes" $segment.lanes -}}
{{- $_ := set $own "worker.device" $segment.device -}}
{{- if or $segment.engineCache.claim $segment.engineCache.hostPath -}}
{{- $_ := set $own "worker.engines" "/engines" -}}
{{- end -}}
{{- $_ := set $own "http.host" "0.0.0.0" -}}
{{- $_ := set $own "http.port" 8080 -}}
{{- toYaml (mergeOverwrite $computed (deepCopy $values.settings) (deepCopy $segment.settings) $own) -}}
{{- end -}}

{{/* Names that values of their own set: as a setting they would be set twice. */}}
{{- define "modstream.ownNames" -}}
group: group
pack: pack
policy: policy
state_dir: state
instance: nothing (it is the pod's name)
http.host: nothing (it is fixed)
http.port: nothing (it is fixed)
kafka.bootstrap_servers: kafka.bootstrapServers
kafka.security.protocol: kafka.security.protocol
kafka.security.sasl_mechanism: kafka.security.saslMechanism
kafka.security.username: kafka.security.credentials.secret
kafka.security.password: kafka.security.credentials.secret
kafka.security.ca_file: kafka.security.tls.secret
kafka.security.cert_file: kafka.security.tls.secret
kafka.security.key_file: kafka.security.tls.secret
topics.prefix: topics.prefix
topics.partitions: topics.partitions
topics.replication: topics.replication
store.url: store.url
tracing.otlp_endpoint: tracing.otlpEndpoint
worker.lanes: segments[].lanes
worker.device: segments[].device
worker.engines: segments[].engineCache
shadow.pack: shadow.pack
shadow.policy: shadow.policy
canary.pack: canary.pack
canary.policy: canary.policy
canary.share: canary.share
{{- end -}}

{{/* (root, user): environment variables that come from Secrets, and the pod's own name. `user` is the Secret of a Kafka
user of its own, or empty. */}}
{{- define "modstream.secretEnv" -}}
{{- $credentials := .root.Values.kafka.security.credentials -}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- if $credentials.secret }}
{{- $secret := .user | default $credentials.secret }}
- name: MODSTREAM_KAFKA__SECURITY__USERNAME
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $credentials.usernameKey }}}}
- name: MODSTREAM_KAFKA__SECURITY__PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $credentials.passwordKey }}}}
{{- end }}
{{- end -}}

{{/* (root, settings): a pod's deadline after SIGTERM, longer than the worker's own. 25 s is the setting's default. */}}
{{- define "modstream.graceSeconds" -}}
{{- $drain := 25 -}}
{{- if hasKey .settings "worker.drain_timeout_s" -}}{{- $drain = index .settings "worker.drain_timeout_s" -}}{{- end -}}
{{- addf $drain .root.Values.graceMarginSeconds | ceil | int -}}
{{- end -}}
