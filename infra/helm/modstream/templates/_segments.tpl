{{/* The segments as they are meant: defaults filled in, `all` spelt out, lanes and topics named. */}}

{{- define "modstream.segments" -}}
{{- $topology := .Files.Get "files/topology.yaml" | fromYaml -}}
{{- $found := list -}}
{{- range .Values.segments -}}
{{- $segment := mergeOverwrite (deepCopy $.Values.segmentDefaults) (deepCopy .) -}}
{{- if has "all" $segment.stages -}}
{{- $_ := set $segment "stages" $topology.stages -}}
{{- end -}}
{{- $lanes := list "standard" "urgent" -}}
{{- range $segment.stages -}}
{{- if has . $topology.long -}}{{- $lanes = list "standard" "urgent" "long" -}}{{- end -}}
{{- end -}}
{{- $_ := set $segment "lanes" ($segment.lanes | default $lanes) -}}
{{- $topics := list -}}
{{- range $stage := $segment.stages -}}
{{- range $lane := $segment.lanes -}}
{{- if and (ne $stage "retry") (or (ne $lane "long") (has $stage $topology.long)) -}}
{{- $base := ternary "posts" $stage (eq $stage "ingest") -}}
{{- $topics = append $topics (printf "%s%s%s" $.Values.topics.prefix $base (ternary "" (printf ".%s" $lane) (eq $lane "standard"))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- /* Without the retry topics: what waits there is not due yet, and no worker would make it come sooner. */ -}}
{{- $_ := set $segment "topics" $topics -}}
{{- $_ := set $segment "fetches" (has "fetch" $segment.stages) -}}
{{- $media := false -}}
{{- range $segment.stages -}}{{- if has . $topology.media -}}{{- $media = true -}}{{- end -}}{{- end -}}
{{- $_ := set $segment "media" $media -}}
{{- $_ := set $segment.autoscaling "max" (int ($segment.autoscaling.max | default $.Values.topics.partitions)) -}}
{{- $found = append $found $segment -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{/* Whole cores of a quantity (2, 2.5, 1500m), rounded up; 0 without one. */}}
{{- define "modstream.cores" -}}
{{- $text := toString (default "" .) -}}
{{- if hasSuffix "m" $text -}}
{{- divf (trimSuffix "m" $text) 1000 | ceil | int -}}
{{- else if $text -}}
{{- $text | ceil | int -}}
{{- else -}}
0
{{- end -}}
{{- end -}}
