# Writes OUTPUT, a C++ source that holds every SQL file of DIR in the order of its number.
# Run as: cmake -DDIR=… -DOUTPUT=… -P embed_migrations.cmake
file(GLOB files ${DIR}/[0-9][0-9][0-9][0-9]_*.sql)
list(SORT files)
set(rows "")
set(number 0)
foreach(file ${files})
  math(EXPR number "${number} + 1")
  get_filename_component(name ${file} NAME)
  string(SUBSTRING ${name} 0 4 digits)
  string(REGEX REPLACE "^0+" "" digits ${digits})
  if(NOT digits EQUAL number)
    message(FATAL_ERROR "${name}: migrations are numbered without gaps, ${number} was expected")
  endif()
  file(READ ${file} sql)
  string(APPEND rows "    {\"${name}\", R\"migration(${sql})migration\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Generated from resources/migrations by app/storage/embed_migrations.cmake.
#include \"app/storage/migrations.h\"

namespace hearth {

std::span<const Migration> migrations() {
  static constexpr Migration kMigrations[] = {
${rows}  };
  return kMigrations;
}

}  // namespace hearth
")
