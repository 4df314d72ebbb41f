# Everything is done by ./run; these names are for fingers that type make.
.PHONY: help demo test check fmt bench test-long test-mutants dev lock
help demo test check fmt bench test-long test-mutants dev lock:
	@./run $@
