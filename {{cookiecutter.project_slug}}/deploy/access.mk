# In CI, kubectl needs no stored secret: with CLUSTER_SERVER set, token.sh provides a token for each request.
.PHONY: kubeconfig

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
		--exec-interactive-mode Never --exec-command "$(CURDIR)/deploy/token.sh" > /dev/null
	@kubectl config set-context ci --cluster ci --user ci > /dev/null
	@kubectl config use-context ci > /dev/null
