export default { install() {} }
