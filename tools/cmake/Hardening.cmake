# seedship_hardening: release builds get the platform's mitigations; sanitizer builds their runtime.
add_library(seedship_hardening INTERFACE)
target_compile_options(seedship_hardening INTERFACE -fno-common -fvisibility=hidden
    -fno-strict-aliasing)
if(SEEDSHIP_SANITIZE)
    target_compile_options(seedship_hardening INTERFACE -fsanitize=${SEEDSHIP_SANITIZE}
        -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(seedship_hardening INTERFACE -fsanitize=${SEEDSHIP_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    target_compile_options(seedship_hardening INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
        -fstack-protector-strong -fstack-clash-protection -fcf-protection
        -ftrivial-auto-var-init=zero)
    target_link_options(seedship_hardening INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
