# Everything is done by ./run; these names are for fingers that type make.
.PHONY: help demo test check fmt bench test-long test-mutants test-everything dev words lock
help demo test check fmt bench test-long test-mutants test-everything dev words lock:
	@./run $@
