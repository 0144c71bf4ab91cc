{{/* What values.schema.json cannot say: what does not go together, a line each. Everything is told at once. */}}

{{- define "modstream.problems" -}}
{{- $topology := .Files.Get "files/topology.yaml" | fromYaml -}}
{{- $values := .Values -}}
{{- $partitions := int $values.topics.partitions -}}
{{- $own := include "modstream.ownNames" . | fromYaml -}}
{{- $segments := include "modstream.segments" . | fromYamlArray -}}
{{- $served := dict -}}
{{- $names := list -}}
{{- $withMedia := 0 -}}

{{- range $name, $image := dict "image" $values.image "image.gpu" $values.image.gpu }}
{{- if and (eq $image.tag "latest") (not $image.digest) }}
{{ $name }}.tag is latest: expected a release or a digest, since pods that start later would run something else
{{- end }}
{{- end }}
{{- if not $values.kafka.bootstrapServers }}
kafka.bootstrapServers is empty: expected host:port of your Kafka, or several with commas between
{{- end }}
{{- $protocol := $values.kafka.security.protocol }}
{{- $credentials := $values.kafka.security.credentials.secret }}
{{- if and (hasPrefix "sasl_" $protocol) (not (and $credentials $values.kafka.security.saslMechanism)) }}
kafka.security.protocol is {{ $protocol }}: expected kafka.security.saslMechanism and kafka.security.credentials.secret beside it
{{- end }}
{{- if and (not (hasPrefix "sasl_" $protocol)) (or $credentials $values.kafka.security.saslMechanism) }}
kafka.security.credentials and saslMechanism have no effect with kafka.security.protocol {{ $protocol }}: expected sasl_ssl there, or nothing here
{{- end }}
{{- if and $values.kafka.security.tls.secret (not (has $protocol (list "ssl" "sasl_ssl"))) }}
kafka.security.tls.secret has no effect with kafka.security.protocol {{ $protocol }}: expected ssl or sasl_ssl there, or nothing here
{{- end }}
{{- if ne (empty $values.kafka.security.tls.certKey) (empty $values.kafka.security.tls.keyKey) }}
kafka.security.tls has one of certKey and keyKey: expected both or none
{{- end }}

{{- range $segment := $segments }}
{{- $where := printf "segment %s" $segment.name }}
{{- if has $segment.name $names }}
{{ $where }}: there are two segments of this name
{{- end }}
{{- $names = append $names $segment.name }}
{{- range $stage := $segment.stages }}
{{- if not (has $stage $topology.stages) }}
{{ $where }}: there is no stage {{ $stage }}: expected all, or some of {{ join ", " $topology.stages }}
{{- end }}
{{- $own := not (has $stage $topology.stages) }}
{{- range $lane := $segment.lanes }}
{{- if or (ne $lane "long") (has $stage $topology.long) }}
{{- if or (ne $stage "retry") (eq $lane "standard") }}
{{- $own = true }}
{{- if or $segment.autoscaling.enabled (gt (int $segment.replicas) 0) }}
{{- $_ := set $served (printf "%s/%s" $stage $lane) true }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if not $own }}
{{ $where }}: its stage {{ $stage }} has none of the lanes {{ join ", " $segment.lanes }}, so that a worker would have nothing to do for it
{{- end }}
{{- end }}
{{- if gt (int $segment.replicas) $partitions }}
{{ $where }}: {{ int $segment.replicas }} replicas, but topics have {{ $partitions }} partitions (topics.partitions), and a partition has one reader: expected at most {{ $partitions }}
{{- end }}
{{- $scaling := $segment.autoscaling }}
{{- if $scaling.enabled }}
{{- if gt (int $scaling.max) $partitions }}
{{ $where }}: autoscaling.max is {{ int $scaling.max }}, but topics have {{ $partitions }} partitions (topics.partitions), and a partition has one reader: expected at most {{ $partitions }}
{{- end }}
{{- if gt (int $scaling.min) (int $scaling.max) }}
{{ $where }}: autoscaling.min is {{ int $scaling.min }} and max is {{ int $scaling.max }}: expected min to be no larger
{{- end }}
{{- if not $segment.topics }}
{{ $where }}: autoscaling has nothing to go by, since what waits in the retry topics is not due yet: expected autoscaling.enabled false
{{- end }}
{{- if and (eq $scaling.scaler "prometheus") (not $values.autoscaling.prometheus.serverAddress) }}
{{ $where }}: autoscaling asks Prometheus, and autoscaling.prometheus.serverAddress is empty: expected its address (http://prometheus.monitoring:9090), or autoscaling.scaler kafka
{{- end }}
{{- end }}
{{- if and (ne $segment.device "cpu") (lt (int $segment.gpus) 1) }}
{{ $where }}: device is {{ $segment.device }} and gpus is {{ int $segment.gpus }}: expected at least 1
{{- end }}
{{- if and (eq $segment.device "cpu") (gt (int $segment.gpus) 0) }}
{{ $where }}: device is cpu and gpus is {{ int $segment.gpus }}: expected device cuda or tensorrt, or gpus 0
{{- end }}
{{- $engines := $segment.engineCache }}
{{- if and (or $engines.claim $engines.hostPath) (ne $segment.device "tensorrt") }}
{{ $where }}: engineCache has no effect with device {{ $segment.device }}: expected device tensorrt, or no engineCache
{{- end }}
{{- if and $engines.claim $engines.hostPath }}
{{ $where }}: engineCache has both claim and hostPath: expected one of them
{{- end }}
{{- if and (hasKey $segment.settings "worker.drain_timeout_s") (not (kindIs "float64" (index $segment.settings "worker.drain_timeout_s"))) }}
{{ $where }}: settings has worker.drain_timeout_s as a text: expected a number
{{- end }}
{{- range $name, $_ := $segment.settings }}
{{- with index $own $name }}
{{ $where }}: settings has {{ $name }}, which is set with the value {{ . }}
{{- end }}
{{- end }}
{{- if $segment.media }}
{{- $withMedia = add $withMedia (ternary $scaling.max $segment.replicas $scaling.enabled | int) }}
{{- end }}
{{- end }}
{{- range $name, $_ := $values.settings }}
{{- with index $own $name }}
settings has {{ $name }}, which is set with the value {{ . }}
{{- end }}
{{- end }}

{{- range $stage := $topology.stages }}
{{- range $lane := ternary (list "standard" "urgent" "long") (ternary (list "standard") (list "standard" "urgent") (eq $stage "retry")) (has $stage $topology.long) }}
{{- if not (hasKey $served (printf "%s/%s" $stage $lane)) }}
nobody serves the lane {{ $lane }} of the stage {{ $stage }}: expected it in a segment with replicas, or its posts wait for ever
{{- end }}
{{- end }}
{{- end }}

{{- $claim := include "modstream.storeClaim" . }}
{{- if and (not $claim) (not $values.store.url) }}
store.url and store.claim are empty: expected an address with s3://, gs:// or az://, or a claim that all pods with media mount
{{- end }}
{{- if and $claim $values.store.url }}
store.url and store.claim are both set: expected one of them
{{- end }}
{{- if and $values.store.claim.create $values.store.claim.name }}
store.claim has both create and name: expected one of them
{{- end }}
{{- if and $values.store.claim.create (eq $values.store.claim.accessMode "ReadWriteOnce") (gt (int $withMedia) 1) }}
store.claim.accessMode is ReadWriteOnce, and up to {{ $withMedia }} pods have media: expected ReadWriteMany, a bucket, or one such pod
{{- end }}
{{- if and $values.store.sweep.schedule (hasKey $values.settings "store.retention_days") (eq (toString (get $values.settings "store.retention_days")) "0") }}
store.sweep.schedule is set, and the setting store.retention_days is 0, which keeps media for ever: expected one of the two otherwise
{{- end }}
{{- if and $values.policies.files $values.policies.configMap }}
policies has both files and configMap: expected one of them
{{- end }}
{{- if and (hasPrefix "/packs/" $values.pack) (not $values.packs.claim) }}
pack is {{ $values.pack }}, and packs.claim is empty: expected the claim that holds it
{{- end }}
{{- range $role, $given := dict "policy" $values.policy "shadow.policy" $values.shadow.policy "canary.policy" $values.canary.policy }}
{{- if and (hasPrefix "/etc/modstream/policies/" $given) (not (include "modstream.policies" $)) }}
{{ $role }} is {{ $given }}, and there is neither policies.files nor policies.configMap: expected one that holds it
{{- end }}
{{- if and $values.policies.files (hasPrefix "/etc/modstream/policies/" $given) (not (hasKey $values.policies.files (base $given))) }}
{{ $role }} is {{ $given }}, and policies.files has no {{ base $given }}
{{- end }}
{{- end }}
{{- if and $values.console.enabled (not $values.console.tokens.secret) }}
console.tokens.secret is empty: expected the name of a Secret with who may see what, since the console shows posts
{{- end }}
{{- if and $values.console.ingress.enabled (not $values.console.enabled) }}
console.ingress is enabled and the console is not: expected console.enabled true
{{- end }}
{{- if and $values.console.ingress.enabled (not $values.console.ingress.host) }}
console.ingress.host is empty: expected the name that browsers use
{{- end }}
{{- end -}}
