"""The use cases, one file each: prepare, apply, check, repair, status, logs. Both front ends call them."""
