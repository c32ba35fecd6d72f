{{- define "kubeserve.name" -}}
{{- if contains "kubeserve" .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-kubeserve" .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "kubeserve.selector" -}}
app.kubernetes.io/name: kubeserve
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* Never `managed-by: kubeserve`: that marks what the engine owns, and the orphan sweep takes. */ -}}
{{- define "kubeserve.labels" -}}
{{ include "kubeserve.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "kubeserve.secret" -}}
{{ .Values.existingSecret | default (include "kubeserve.name" .) }}
{{- end }}

{{- define "kubeserve.image" -}}
{{- $image := index .Values.images .part -}}
{{- if not $image -}}
{{- fail (printf "images.%s must be set, by digest: NAME@sha256:…" .part) -}}
{{- end -}}
{{- if not (or .Values.images.byTag (regexMatch "@sha256:[0-9a-f]{64}$" $image)) -}}
{{- fail (printf "images.%s must name its image by digest (NAME@sha256:…); images.byTag=true takes tags" .part) -}}
{{- end -}}
{{ $image }}
{{- end }}

{{- define "kubeserve.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .id }}
runAsGroup: {{ .group }}
fsGroup: {{ .group }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "kubeserve.restricted" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
{{- end }}

{{- define "kubeserve.check" -}}
{{- if not .Values.issuer -}}
{{- fail "issuer must be set: the address of the API as its callers see it, e.g. https://kube.example.com" -}}
{{- end -}}
{{- if not .Values.existingSecret -}}
{{- if not (or .Values.database.url .Values.postgres.enabled) -}}
{{- fail "database.url must be set (postgres://…), or postgres.enabled=true for a trial" -}}
{{- end -}}
{{- if not (or .Values.store.url .Values.minio.enabled) -}}
{{- fail "store.url must be set (s3://…), or minio.enabled=true for a trial" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* CEL: an object has the labels that the engine marks its own with. */ -}}
{{- define "kubeserve.ours" -}}
has({{ .of }}.metadata.labels) && {{ .of }}.metadata.labels[?'app.kubernetes.io/managed-by'].orValue('') == 'kubeserve' && {{ .of }}.metadata.labels[?'app.kubernetes.io/instance'].orValue('') == '{{ .instance }}'
{{- end }}
