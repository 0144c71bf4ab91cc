{{/* What all pods have in common: who they run as, and what they mount. */}}

{{- define "modstream.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "modstream.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{/* (root, media, models): the mounts of a container of ours. */}}
{{- define "modstream.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: state, mountPath: /var/lib/modstream}
{{- if .root.Values.kafka.security.tls.secret }}
- {name: kafka-tls, mountPath: /etc/modstream/kafka, readOnly: true}
{{- end }}
{{- if and .media (include "modstream.storeClaim" .root) }}
- {name: store, mountPath: /var/lib/modstream-store}
{{- end }}
{{- if .models }}
{{- if include "modstream.policies" .root }}
- {name: policies, mountPath: /etc/modstream/policies, readOnly: true}
{{- end }}
{{- if .root.Values.packs.claim }}
- {name: packs, mountPath: /packs, readOnly: true}
{{- end }}
{{- end }}
{{- end -}}

{{/* (root, media, models, tmpSize): the volumes of those mounts. */}}
{{- define "modstream.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: {{ .tmpSize | default "256Mi" }}}
- name: state
  emptyDir: {sizeLimit: {{ .root.Values.state.size }}}
{{- with .root.Values.kafka.security.tls.secret }}
- name: kafka-tls
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- if .media }}
{{- with include "modstream.storeClaim" .root }}
- name: store
  persistentVolumeClaim: {claimName: {{ . }}}
{{- end }}
{{- end }}
{{- if .models }}
{{- with include "modstream.policies" .root }}
- name: policies
  configMap: {name: {{ . }}}
{{- end }}
{{- with .root.Values.packs.claim }}
- name: packs
  persistentVolumeClaim: {claimName: {{ . }}, readOnly: true}
{{- end }}
{{- end }}
{{- end -}}

{{/* The ConfigMap of policy files, if there is one. */}}
{{- define "modstream.policies" -}}
{{- if .Values.policies.files -}}
{{ include "modstream.fullname" . }}-policies
{{- else -}}
{{ .Values.policies.configMap }}
{{- end -}}
{{- end -}}

{{/* (root, name, args, settings; command, media, models, user, serviceAccount, retries, deadlineSeconds): a pod that runs
one command of modstream to its end. */}}
{{- define "modstream.job" -}}
backoffLimit: {{ .retries | default 0 }}
activeDeadlineSeconds: {{ .deadlineSeconds | default 600 }}
template:
  metadata:
    labels:
      {{- include "modstream.labels" (dict "root" .root "component" .name) | nindent 6 }}
      {{- if .media }}
      modstream/media: "true"
      {{- end }}
  spec:
    restartPolicy: Never
    {{- if .serviceAccount }}
    serviceAccountName: {{ include "modstream.serviceAccount" .root }}
    {{- end }}
    {{- include "modstream.podSecurity" .root | nindent 4 }}
    containers:
      - name: {{ .name }}
        image: {{ include "modstream.image" (dict "root" .root "gpu" false) }}
        imagePullPolicy: {{ .root.Values.image.pullPolicy }}
        {{- with .command }}
        command: {{ toJson . }}
        {{- end }}
        args: {{ toJson .args }}
        env:
          {{- include "modstream.secretEnv" . | nindent 10 }}
          {{- include "modstream.env" .settings | trim | nindent 10 }}
        {{- if and .media .root.Values.store.secret }}
        envFrom:
          - secretRef: {name: {{ .root.Values.store.secret }}}
        {{- end }}
        {{- include "modstream.containerSecurity" .root | nindent 8 }}
        resources: {{ toJson .root.Values.jobs.resources }}
        volumeMounts:
          {{- include "modstream.mounts" . | nindent 10 }}
    volumes:
      {{- include "modstream.volumes" . | nindent 6 }}
{{- end -}}
