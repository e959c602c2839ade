# The login to a registry with user and token.
login:  ## Log in to the registry of IMAGE or RELEASE: REGISTRY_USER, REGISTRY_TOKEN
	@registry=$${IMAGE:-$$RELEASE}; printf %s "$$REGISTRY_TOKEN" | \
		docker login --username "$$REGISTRY_USER" --password-stdin "$${registry%%/*}"
