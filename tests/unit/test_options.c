/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of commands and options: parsing, help, completion, exit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/cli/command.h"
#include "common/cli/help.h"
#include "tests/lib/run_command.h"

struct values {
	const char *store;
	const char *mode;
	uint64_t size_bytes;
	uint64_t count;
	bool json;
	struct option_list extra;
};

static const struct option_row rows[] = {
	{"store", 's', OPTION_TEXT, "DIR", "the store", offsetof(struct values, store)},
	{"mode", 0, OPTION_CHOICE, "auto|block", "how it is done", offsetof(struct values, mode)},
	OPTION_HEADING("Amounts"),
	{"size", 0, OPTION_SIZE, "SIZE",
	 "a size with quite a long explanation that has to go on in the next line of the help",
	 offsetof(struct values, size_bytes)},
	{"count", 'n', OPTION_NUMBER, "N", "a number", offsetof(struct values, count)},
	{"json", 'j', OPTION_FLAG, NULL, "print JSON", offsetof(struct values, json)},
	{"a-very-long-option-name-indeed", 0, OPTION_LIST, "ARGUMENT", "may be repeated",
	 offsetof(struct values, extra)},
	OPTION_END,
};

static const char *seen_argument;
static struct values seen_values;
static int result;

static int run(const void *values, char *const *arguments, struct err *e)
{
	seen_values = *(const struct values *)values;
	seen_argument = arguments[0];
	if (result < 0 && result != -EPIPE)
		return err_set(e, -result, "it broke");
	(void)printf("done\n");
	return result;
}

static const struct command command_new = {
	.name = "new",
	.summary = "make one",
	.arguments = "NAME [OTHER]",
	.options = rows,
	.values_bytes = sizeof(struct values),
	.run = run,
};
static const struct command command_many = {
	.name = "many",
	.summary = "take many",
	.arguments = "JOB TARGET...",
	.values_bytes = sizeof(struct values),
	.run = run,
};
static const struct command *const job_children[] = {&command_new, &command_many, NULL};
static const struct command command_job = {
	.name = "job", .summary = "all about jobs", .children = job_children};
static const struct command *const tool_children[] = {&command_job, NULL};
static const struct command tool = {
	.name = "tool", .summary = "A tool.", .children = tool_children};

#define ARGV_MAX 16

static int parse(struct values *values, struct err *e, int *ret_first, ...)
{
	static char *argv[ARGV_MAX], name[] = "tool";
	struct option_common common = {0};
	va_list ap;
	int argc = 1, r;

	argv[0] = name;
	va_start(ap, ret_first);
	while ((argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	r = options_parse(argc, argv, rows, values, &common, ret_first, e);
	return r < 0 ? r : argc - *ret_first;
}

static void test_values(void **state)
{
	struct values v = {0};
	struct err e = {0};
	int first;

	(void)state;
	assert_int_equal(parse(&v, &e, &first, "-s", "DIR", "--size=2K", "x", "--mode", "block",
			       "-jn7", "--", "--json", NULL),
			 2);
	assert_string_equal(v.store, "DIR");
	assert_string_equal(v.mode, "block");
	assert_int_equal(v.size_bytes, 2048);
	assert_int_equal(v.count, 7);
	assert_true(v.json);
	v = (struct values){.store = "kept"};
	assert_int_equal(parse(&v, &e, &first, NULL), 0);
	assert_string_equal(v.store, "kept");
	assert_false(v.json);
}

static void test_list(void **state)
{
	struct values v = {0};
	struct err e = {0};
	int first;

	(void)state;
	assert_int_equal(parse(&v, &e, &first, "--a-very-long-option-name-indeed", "1",
			       "--a-very-long-option-name-indeed=2", NULL),
			 0);
	assert_int_equal(v.extra.n, 2);
	assert_string_equal(v.extra.items[0], "1");
	assert_string_equal(v.extra.items[1], "2");
	v.extra.n = OPTION_LIST_MAX;
	assert_int_equal(parse(&v, &e, &first, "--a-very-long-option-name-indeed", "1", NULL),
			 -EINVAL);
	assert_int_equal(v.extra.n, OPTION_LIST_MAX);
}

static void expect_refused(const char *text, const char *a, const char *b)
{
	struct values v = {0};
	struct err e = {0};
	int first;

	assert_int_equal(parse(&v, &e, &first, a, b, NULL), -EINVAL);
	assert_int_equal(e.class, ERR_USER);
	assert_string_equal(e.text, text);
}

static void test_errors(void **state)
{
	(void)state;
	expect_refused("unknown option '--foo'", "--foo", NULL);
	expect_refused("unknown option '--foo'", "--foo=secret", NULL);
	expect_refused("unknown option '-x'", "-x", NULL);
	expect_refused("unknown option '-x'", "-jx", NULL);
	expect_refused("option '--store' needs an argument: DIR", "--store", NULL);
	expect_refused("option '--store' needs an argument: DIR", "-s", NULL);
	expect_refused("option '--json' takes no argument", "--json=1", NULL);
	expect_refused("--mode: 'bloc' is none of auto|block", "--mode", "bloc");
	expect_refused("--mode: 'auto|block' is none of auto|block", "--mode", "auto|block");
	expect_refused("--mode: '' is none of auto|block", "--mode", "");
	expect_refused("--count: '1x': not a whole number", "--count", "1x");
	expect_refused("--size: '2Q': not a size", "--size", "2Q");
}

static void test_help_golden(void **state)
{
	static const char want[] =
		"\n"
		"Usage:\n"
		" tool job new [options] NAME [OTHER]\n"
		"\n"
		"make one\n"
		"\n"
		"Options:\n"
		" -s, --store DIR        the store\n"
		"     --mode auto|block  how it is done\n"
		"\n"
		"Amounts:\n"
		"     --size SIZE        a size with quite a long explanation that has to go on\n"
		"                        in the next line of the help\n"
		" -n, --count N          a number\n"
		" -j, --json             print JSON\n"
		"     --a-very-long-option-name-indeed ARGUMENT\n"
		"                        may be repeated\n"
		"\n"
		" -h, --help             display this help\n"
		" -V, --version          display the version\n";
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	(void)state;
	help_print(out, "tool job new", &command_new);
	(void)fclose(out);
	assert_string_equal(text, want);
	free(text);
}

static struct run_command ran;

static int run_tool(const char *line)
{
	run_command(&ran, &tool, line);
	return ran.code;
}

static void test_dispatch(void **state)
{
	(void)state;
	result = 0;
	assert_int_equal(run_tool("tool job new --store DIR first"), 0);
	assert_string_equal(ran.out, "done\n");
	assert_string_equal(ran.said, "");
	assert_string_equal(seen_values.store, "DIR");
	assert_int_equal(run_tool("tool job many a b c d"), 0);
	assert_int_equal(run_tool("tool --version"), 0);
	assert_string_equal(ran.out, "tool 1.2.3\n");
	assert_int_equal(run_tool("tool job new -V"), 0);
	assert_string_equal(ran.out, "tool 1.2.3\n");
	assert_int_equal(run_tool("tool job new --help too many arguments"), 0);
	assert_non_null(strstr(ran.out, "\nUsage:\n tool job new [options] NAME [OTHER]\n"));
	assert_string_equal(ran.said, "");
}

static void test_groups(void **state)
{
	(void)state;
	assert_int_equal(run_tool("tool --help"), 0);
	assert_string_equal(ran.out, "\nUsage:\n tool COMMAND [options]\n\nA tool.\n\nCommands:\n"
				     " job  all about jobs\n\nOptions:\n"
				     " -h, --help          display this help\n"
				     " -V, --version       display the version\n\n"
				     "For the help of a command: tool COMMAND --help\n");
	assert_int_equal(run_tool("tool --list-options"), 0);
	assert_string_equal(ran.out, "job\n--help\n--version\n--list-options\n--manual\n");
	assert_int_equal(run_tool("tool job new --list-options"), 0);
	assert_string_equal(
		ran.out,
		"--store\n--mode\n--size\n--count\n--json\n"
		"--a-very-long-option-name-indeed\n--help\n--version\n--list-options\n--manual\n");
}

static void expect_usage(const char *line, const char *message)
{
	assert_int_equal(run_tool(line), 2);
	assert_string_equal(ran.out, "");
	assert_string_equal(ran.said, message);
}

static void test_usage_errors(void **state)
{
	(void)state;
	expect_usage("tool", "tool: a command is missing\nhint: try 'tool --help'\n");
	expect_usage("tool job", "tool: job: a command is missing\nhint: try 'tool job --help'\n");
	expect_usage("tool jop", "tool: unknown command 'jop'\nhint: try 'tool --help'\n");
	expect_usage("tool -x", "tool: unknown option '-x'\nhint: try 'tool --help'\n");
	expect_usage("tool job new",
		     "tool: job new: NAME is missing\nhint: try 'tool job new --help'\n");
	expect_usage("tool job new a b c",
		     "tool: job new: unexpected argument 'c'\nhint: try 'tool job new --help'\n");
	expect_usage("tool job many a",
		     "tool: job many: TARGET... is missing\nhint: try 'tool job many --help'\n");
	expect_usage("tool job new --foo a",
		     "tool: job new: unknown option '--foo'\nhint: try 'tool job new --help'\n");
	expect_usage(
		"tool job new a --size 1Q",
		"tool: job new: --size: '1Q': not a size\nhint: write a number and a unit, such as "
		"500G (1024-based) or 8TB (1000-based)\n");
}

static void test_exit_codes(void **state)
{
	(void)state;
	result = -EIO;
	assert_int_equal(run_tool("tool job new a"), 1);
	assert_string_equal(ran.said, "tool: job new: it broke\n");
	result = -EBADMSG;
	assert_int_equal(run_tool("tool job new a"), 3);
	result = -EINTR;
	assert_int_equal(run_tool("tool job new a"), 4);
	result = -EPIPE; /* a failure that told no story still gets a message */
	assert_int_equal(run_tool("tool job new a"), 1);
	assert_string_equal(ran.said, "tool: job new: failed: Broken pipe\n");
	result = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	     cmocka_unit_test(test_list),
		cmocka_unit_test(test_errors),	     cmocka_unit_test(test_help_golden),
		cmocka_unit_test(test_dispatch),     cmocka_unit_test(test_groups),
		cmocka_unit_test(test_usage_errors), cmocka_unit_test(test_exit_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
