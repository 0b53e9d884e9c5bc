# Made by oz-install. Do not edit: change answers.yml and run oz-install again.
# Address, workers and timeouts stand in the service's command, which wins over this file.

accesslog = "-"
errorlog = "-"
graceful_timeout = 30
worker_tmp_dir = "/dev/shm"  # the workers' heartbeat files: never on a disk that may block
