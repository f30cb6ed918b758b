# cmake -DTEXTS=a.cuh;b.cuh -DROOT=folder -DOUTPUT=Templates.cpp -P embed.cmake: C++ that holds the texts under their names below ROOT.
set(items "")
foreach(text IN LISTS TEXTS)
  file(READ "${text}" content)
  file(RELATIVE_PATH name "${ROOT}" "${text}")
  if(content MATCHES "\\)sn-template\"")
    message(FATAL_ERROR "${name} holds the end of a raw string")
  endif()
  string(APPEND items "      {\"${name}\", R\"sn-template(${content})sn-template\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"kernels-templates/cuda/Templates.h\"

namespace sn::cuda {
const std::map<std::string_view, std::string_view> &templateTexts() {
  static const std::map<std::string_view, std::string_view> texts = {
${items}  };
  return texts;
}
} // namespace sn::cuda
")
