# seedship_warnings: what every translation unit is compiled with; errors when SEEDSHIP_WERROR.
add_library(seedship_warnings INTERFACE)
target_compile_options(seedship_warnings INTERFACE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wundef
    -Wpointer-arith -Wwrite-strings -Wformat=2 -Wvla -Wdate-time
    # Optimised, gcc 12 cannot know that a failed err_set() is negative and sees NULLs that cannot be.
    $<$<CONFIG:Debug>:-Wnull-dereference>
    $<$<C_COMPILER_ID:GNU>:-Walloca -Wcast-align=strict -Wimplicit-fallthrough=5 -Wduplicated-cond
        -Wduplicated-branches -Wlogical-op -Wjump-misses-init>
    $<$<BOOL:${SEEDSHIP_WERROR}>:-Werror>)

# seedship_conversion: for the code whose arithmetic ends up on disk.
add_library(seedship_conversion INTERFACE)
target_compile_options(seedship_conversion INTERFACE -Wconversion)
