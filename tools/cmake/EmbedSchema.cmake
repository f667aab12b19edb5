# Script: writes OUT, a C file with every migration step below DIR as a string constant.
set(out "/* Generated from schema/ by tools/cmake/EmbedSchema.cmake. */\n#include \"schema/schema.h\"\n\n")
set(id_index 0x53446673)    # "SDfs"
set(id_shipping 0x53447368) # "SDsh"
foreach(name index shipping)
    file(GLOB steps "${DIR}/${name}/*.sql")
    list(SORT steps)
    list(LENGTH steps n)
    string(APPEND out "static const struct schema_step ${name}_steps[] = {\n")
    foreach(step ${steps})
        get_filename_component(file ${step} NAME)
        file(READ ${step} hex HEX)
        string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" text "${hex}")
        # Pieces of 64 bytes keep the lines short.
        string(REGEX REPLACE "((\\\\x[0-9a-f][0-9a-f])(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?)" "\t \"\\1\"\n" text "${text}")
        string(APPEND out "\t{\"${file}\",\n${text}\t},\n")
    endforeach()
    string(APPEND out "};\n\nconst struct schema schema_${name} = {\n"
        "\t.name = \"${name}\",\n\t.application_id = ${id_${name}},\n"
        "\t.n_steps = ${n},\n\t.steps = ${name}_steps,\n};\n\n")
endforeach()
file(WRITE "${OUT}" "${out}")
