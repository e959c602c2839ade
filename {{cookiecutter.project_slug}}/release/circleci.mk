# CircleCI: the identity of the job, for Sigstore.
sign: export SIGSTORE_ID_TOKEN = $(shell circleci run oidc get --root-issuer --claims '{"aud": "sigstore"}')
