"""The use cases of both front ends: prepare, apply, check, repair, status, logs."""
