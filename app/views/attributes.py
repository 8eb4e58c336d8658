import streamlit as st
st.title("Attributes")
