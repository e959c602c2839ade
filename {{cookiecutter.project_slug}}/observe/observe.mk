# The service in containers, with what shows its state. CONTAINERS="web logs" starts only some of them.
.PHONY: observe
export GRAFANA_PORT ?= 3000
export LOGS_PORT ?= 9428
observe down: export COMPOSE_FILE = compose.yaml:observe/compose.yaml
observe: export DOCKER_ROOT = $(shell docker info | sed -n 's/ *Docker Root Dir: //p')

observe: .env  ## Start containers with logs, metrics, traces, dashboards and alerts
	docker compose up --build --wait $(CONTAINERS)
	@printf 'Service     http://%s\n' "$$(docker compose port web 8000)"
	@echo 'Dashboards  http://localhost:$(GRAFANA_PORT)'
	@echo 'Logs        http://localhost:$(LOGS_PORT)/select/vmui'
