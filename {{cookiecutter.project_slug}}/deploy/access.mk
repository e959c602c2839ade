# Deployments by CI: the release is the published one, and kubectl needs no stored secret. With
# CLUSTER_SERVER set, token-{{ cookiecutter.ci }}.sh provides a token that identifies the job.
.PHONY: kubeconfig

deploy: export RELEASE := $(or $(value RELEASE),$(shell cat .reports/release 2>/dev/null))

ifneq ($(CLUSTER_SERVER),)
export KUBECONFIG := $(CURDIR)/.reports/kubeconfig
deploy: kubeconfig
endif
export CLUSTER_AUDIENCE ?= kubernetes

kubeconfig:
	@case "$$CLUSTER_SERVER" in https://*) ;; *) echo "CLUSTER_SERVER has to begin with https://" >&2; exit 1;; esac
	@mkdir -p .reports && printf %s "$$CLUSTER_CA" | base64 --decode > .reports/cluster.pem
	@kubectl config set-cluster ci --server "$$CLUSTER_SERVER" \
		$(if $(CLUSTER_CA),--certificate-authority .reports/cluster.pem) > /dev/null
	@kubectl config set-credentials ci --exec-api-version client.authentication.k8s.io/v1 \
		--exec-interactive-mode Never --exec-command "$(CURDIR)/deploy/token-{{ cookiecutter.ci }}.sh" > /dev/null
	@kubectl config set-context ci --cluster ci --user ci > /dev/null
	@kubectl config use-context ci > /dev/null
