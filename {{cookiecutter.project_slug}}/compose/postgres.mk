# Backups of the PostgreSQL in Compose, by the tools in its image; for other servers see docs/postgresql.md.
.PHONY: backup restore
FILE ?= backup.dump

backup:  ## Write the database of Compose to FILE=backup.dump
	@docker compose exec -T postgres pg_dump --username=app --format=custom >"$(FILE).part" || \
		{ rm -f "$(FILE).part"; exit 1; }
	@mv "$(FILE).part" "$(FILE)"

restore:  ## Replace the database of Compose by that in FILE=backup.dump, or change nothing
	@docker compose exec -T postgres pg_restore --username=app --dbname=app \
		--clean --if-exists --single-transaction <"$(FILE)"
