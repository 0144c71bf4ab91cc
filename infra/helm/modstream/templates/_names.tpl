{{/* Names, labels and images. */}}

{{- define "modstream.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough that a segment's name and a hash still fit into 63 characters. */}}
{{- define "modstream.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "modstream.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "modstream.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* (root, component, segment): what selects the pods; never changes while a release lives. */}}
{{- define "modstream.selector" -}}
app.kubernetes.io/name: {{ include "modstream.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- with .segment }}
modstream/segment: {{ . }}
{{- end }}
{{- end -}}

{{- define "modstream.labels" -}}
{{ include "modstream.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* (root, gpu): the image of a container. */}}
{{- define "modstream.image" -}}
{{- $image := .root.Values.image -}}
{{- $repository := $image.repository -}}
{{- $tag := $image.tag | default .root.Chart.AppVersion -}}
{{- $digest := $image.digest -}}
{{- if .gpu -}}
{{- $repository = $image.gpu.repository | default $repository -}}
{{- $tag = $image.gpu.tag | default (printf "%s-gpu" $tag) -}}
{{- $digest = $image.gpu.digest -}}
{{- end -}}
{{- if $digest -}}{{ $repository }}@{{ $digest }}{{- else -}}{{ $repository }}:{{ $tag }}{{- end -}}
{{- end -}}

{{- define "modstream.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "modstream.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}
