"""The use cases of both front ends, one file each: prepare, apply, check, repair, status, logs."""
