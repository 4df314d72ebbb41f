# Everything is done by ./run; these names are for fingers that type make.
.PHONY: help demo test check fmt bench test-long test-mutants dev words lock
help demo test check fmt bench test-long test-mutants dev words lock:
	@./run $@
