# Targets that CI adds: the image as a file for later jobs, and an audit of the dependencies.
.PHONY: save audit

BUILT := {{ cookiecutter.project_slug }}:$(REVISION)
ACCEPTED = $(shell sed -n 's/^ *- vulnerability: */--ignore-vuln /p' release/accepted.yaml)

save:  ## Write the image of this commit to .reports/image.tar
	@mkdir -p .reports
	docker save --output .reports/image.tar $(BUILT)

audit: $(READY)  ## Search the locked dependencies for known vulnerabilities
	@mkdir -p .reports
	$(UV) export --quiet --locked --no-dev --no-emit-project --output-file .reports/requirements.txt
	$(UV) tool run --quiet pip-audit==2.10.1 --strict --require-hashes --disable-pip --requirement .reports/requirements.txt $(ACCEPTED)

check: default-branch

.PHONY: default-branch
default-branch:
	@[ "$$(git branch --show-current 2>/dev/null)" != master ] || \
		echo "CI builds and delivers the branch main: git branch -m main"
