# Azure DevOps: a key in Key Vault signs, because public Sigstore accepts no identity of Azure Pipelines.
# A key, unlike a certificate, does not name the repository, the commit and the run: provenance does.
.PHONY: sign-provenance verify-provenance
sign: sign-provenance
verify: verify-provenance

sign-provenance: digest
	jq --null-input --from-file release/provenance.jq > .reports/provenance.json
	$(COSIGN) attest --yes $(SIGNER) --type slsaprovenance1 --predicate .reports/provenance.json "$$RELEASE"

verify-provenance: digest
	@$(COSIGN) verify-attestation $(TRUSTED) --type slsaprovenance1 "$$RELEASE" > /dev/null || $(UNVERIFIED)
{% if cookiecutter.cloud == "none" %}

# A token of the service connection, for Azure Container Registry.
login: export REGISTRY_USER = 00000000-0000-0000-0000-000000000000
login: export REGISTRY_TOKEN = $(shell az acr login --expose-token --name "$${IMAGE%%/*}" --query accessToken --output tsv)
{% endif %}
